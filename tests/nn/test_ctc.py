"""The loss of unaligned labels against a sum over every alignment."""

from itertools import groupby, product

import numpy as np
import pytest
from scipy import special
from tests.nn.checks import check_captured, check_gradients, numbers

import trainsmith as ts
from trainsmith import nn
from trainsmith.errors import ArgumentError, IndexRangeError, ShapeError

F = nn.functional
T, N, C = 5, 4, 3
SCORES = numbers(T, N, C)
LOG = special.log_softmax(SCORES, -1)
LABELS = [[1, 2], [1, 1], [], [2, 1, 2]]
STEPS, COUNTS = np.array([5, 4, 3, 5]), np.array([2, 2, 0, 3])
PADDED = np.array([[1, 2, -7], [1, 1, 99], [0, 0, 0], [2, 1, 2]])
JOINED = np.array([label for labels in LABELS for label in labels])


def alignments(log, labels, blank=0):
    """Gives minus the logarithm of the summed probability of all alignments of one example."""
    terms = [
        sum(log[t, c] for t, c in enumerate(way))
        for way in product(range(log.shape[1]), repeat=log.shape[0])
        if [c for c, _ in groupby(way) if c != blank] == list(labels)
    ]
    return -special.logsumexp(terms) if terms else np.inf


WANT = np.array([alignments(LOG[:steps, n], LABELS[n]) for n, steps in enumerate(STEPS)])


def losses(targets, log=LOG, **options):
    return F.ctc_loss(ts.asarray(log), ts.asarray(targets), ts.asarray(STEPS), ts.asarray(COUNTS), **options)


@pytest.mark.parametrize("targets", [PADDED, JOINED], ids=["padded", "joined"])
def test_every_alignment_counts(targets):
    np.testing.assert_allclose(np.asarray(losses(targets, reduction="none")), WANT, rtol=1e-12)
    assert float(losses(targets, reduction="sum")) == pytest.approx(WANT.sum())
    assert float(losses(targets)) == pytest.approx((WANT / np.maximum(COUNTS, 1)).mean())
    layer = nn.CTCLoss(reduction="sum")
    got = layer(ts.asarray(LOG), ts.asarray(targets), tuple(map(int, STEPS)), tuple(map(int, COUNTS)))
    assert float(got) == float(losses(targets, reduction="sum"))
    single = losses(targets, LOG.astype("f4"), reduction="none")
    assert single.dtype == ts.float32
    np.testing.assert_allclose(np.asarray(single), WANT, rtol=1e-5)


@pytest.mark.parametrize("targets", [PADDED, JOINED], ids=["padded", "joined"])
def test_slopes_and_captured_twins_through_a_softmax(targets):
    f = lambda x: F.ctc_loss(  # noqa: E731
        F.log_softmax(x, 2), ts.asarray(targets), ts.asarray(STEPS), ts.asarray(COUNTS), reduction="none"
    )
    check_gradients(f, SCORES)
    check_gradients(ts.grad(lambda x: ts.sum(f(x) * f(x))), SCORES, tolerance=1e-5)
    check_captured(f, SCORES)
    lengths = lambda x, y, s, c: F.ctc_loss(F.log_softmax(x, 2), y, s, c)  # noqa: E731
    check_captured(lengths, SCORES, targets, STEPS, COUNTS)


def test_the_gradient_by_log_probabilities_is_that_by_scores():
    by_log = ts.grad(lambda x: losses_of(x))(ts.asarray(LOG))
    by_score = ts.grad(lambda x: losses_of(F.log_softmax(x, 2)))(ts.asarray(SCORES))
    np.testing.assert_allclose(np.asarray(by_log), np.asarray(by_score), atol=1e-12)
    assert not np.asarray(by_log)[4, 1].any()


def losses_of(log):
    return F.ctc_loss(log, ts.asarray(PADDED), ts.asarray(STEPS), ts.asarray(COUNTS), reduction="sum")


def test_another_class_may_be_the_blank():
    want = alignments(LOG[:, 0], [0, 1, 0], blank=2)
    got = F.ctc_loss(ts.asarray(LOG[:, 0]), ts.asarray([0, 1, 0]), (5,), (3,), blank=2, reduction="none")
    assert got.shape == ()
    assert float(got) == pytest.approx(want)


def test_labels_that_do_not_fit_are_infinitely_far():
    args = ts.asarray([[1, 1, 1]]), (5,), (3,)
    for zero, want in ((False, float("inf")), (True, 0.0)):
        f = lambda x: F.ctc_loss(x, args[0], (4,), (3,), zero_infinity=zero)  # noqa: E731, B023
        log = ts.asarray(LOG[:, :1])
        assert float(f(log)) == want
        if zero:
            assert not np.asarray(ts.grad(f)(log)).any()
    assert np.isfinite(float(F.ctc_loss(ts.asarray(LOG[:, :1]), *args)))


def test_impossible_classes_and_no_turn():
    log = np.array([[[0.0, -np.inf]], [[-np.inf, 0.0]]])
    x = ts.asarray(log).requires_grad_()
    loss = F.ctc_loss(x, ts.asarray([[1]]), (2,), (1,), reduction="sum")
    loss.backward()
    assert float(loss) == 0.0
    assert np.isfinite(np.asarray(x.grad)).all()
    none = F.ctc_loss(ts.asarray(LOG[:, :2]), ts.asarray([[1], [0]]), (0, 0), (1, 0), reduction="none")
    assert none.tolist() == [float("inf"), 0.0]


@pytest.mark.parametrize(
    ("error", "message", "change"),
    [
        (ShapeError, "log-probabilities", {"log": LOG[0, 0]}),
        (ShapeError, "targets", {"targets": PADDED[:2]}),
        (ShapeError, "input_lengths", {"steps": STEPS[:2]}),
        (ShapeError, "target_lengths", {"counts": COUNTS * 1.0}),
        (IndexRangeError, "ctc_loss", {"steps": STEPS + 3}),
        (IndexRangeError, "ctc_loss", {"counts": COUNTS + 3}),
        (IndexRangeError, "ctc_loss", {"targets": PADDED + 2}),
        (ArgumentError, "blank", {"blank": 3}),
        (ArgumentError, "reduction", {"reduction": "batchmean"}),
    ],
)
def test_what_does_not_fit_is_refused(error, message, change):
    given = {"log": LOG, "targets": PADDED, "steps": STEPS, "counts": COUNTS, **change}
    arrays = [ts.asarray(given.pop(key)) for key in ("log", "targets", "steps", "counts")]
    with pytest.raises(error, match=message):
        F.ctc_loss(*arrays, **given)
