import numpy as np

import trainsmith as ts
from trainsmith import nn
from trainsmith.callbacks import summarize


def test_products_are_counted_by_their_definition():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 5))
    summary = summarize(model, ts.zeros((2, 3, 6, 6)))
    conv = 2 * (2 * 8 * 6 * 6) * (3 * 3 * 3)
    linear = 2 * 2 * 288 * 5
    assert [one.flops for one in summary.layers] == [conv, 0, 0, linear]
    assert summary.flops == conv + linear
    assert [one.output_shape for one in summary.layers] == [(2, 8, 6, 6), (2, 8, 6, 6), (2, 288), (2, 5)]
    assert summary.parameters == 3 * 8 * 9 + 8 + 288 * 5 + 5


def test_transposed_and_grouped_convolutions():
    grouped = summarize(nn.Conv1d(4, 8, 3, groups=2), ts.zeros((1, 4, 10)))
    assert grouped.flops == 2 * 8 * 8 * 2 * 3
    transposed = summarize(nn.ConvTranspose1d(4, 6, 2, stride=2), ts.zeros((1, 4, 5)))
    assert transposed.flops == 2 * (4 * 5) * 6 * 2


def test_recurrent_layers_meet_their_weights_at_each_time_step():
    summary = summarize(nn.GRU(3, 5, batch_first=True), ts.zeros((2, 7, 3)))
    assert summary.flops == 2 * (2 * 7) * (15 * 3 + 15 * 5)
    assert summary.layers[0].output_shape == (2, 7, 5)


def test_frozen_and_shared_parameters():
    first = nn.Linear(4, 4)
    model = nn.Sequential(first, first, nn.Linear(4, 2))
    first.weight.requires_grad = False
    summary = summarize(model, ts.zeros((1, 4)))
    assert (summary.parameters, summary.trainable) == (16 + 4 + 10, 14)


def test_nothing_changes():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    model[2].eval()
    before = {name: np.asarray(value).copy() for name, value in model.state_dict().items()}
    state = ts.default_generator().get_state()
    summarize(model, ts.ones((3, 4)))
    assert [one.training for one in model] == [True, True, False]
    assert ts.default_generator().get_state() == state
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(np.asarray(value), before[name])
    assert model._hooks == {}


def test_memory_covers_parameters_inputs_and_output():
    summary = summarize(nn.Linear(100, 100), ts.zeros((10, 100)))
    assert summary.memory_bytes >= 4 * (100 * 100 + 100 + 10 * 100 + 10 * 100)
    assert str(summary).splitlines()[-1].startswith("10,100 parameters (10,100 trained), 200,000 FLOPs forward")
