"""A job of a configuration is interrupted and goes on."""

import numpy as np
import pytest

from trainsmith.errors import IoError
from trainsmith.training import CheckpointConfig, JobConfig, prepare, run_job


@pytest.fixture
def job(tmp_path):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 3))
    rows = [f"{a},{b},{c},{'yes' if a + b > 0 else 'no'}" for a, b, c in x.round(6).tolist()]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c,y", *rows]))

    def make(**training):
        return JobConfig.from_sections(
            {
                "data": {"path": str(tmp_path / "t.csv"), "target": "y"},
                "model": {"type": "mlp", "architecture": {"hidden": [8], "dropout": 0.2}},
                "training": {"num_epochs": 6, "batch_config": {"batch_size": 16}, **training},
                "schedule": {"name": "step", "step_size": 2, "gamma": 0.5},
            }
        )

    return make


def outcome(found):
    weights = [np.asarray(value).tobytes() for value in found.model.state_dict().values()]
    return weights, found.result.history, found.metrics, found.result.status


@pytest.mark.parametrize("stop_at", [5, 9, 20])
def test_a_job_goes_on_bit_for_bit(job, tmp_path, stop_at):
    config = job()
    prepared = prepare(config)
    expected = outcome(run_job(config, prepared))
    checkpoints = CheckpointConfig(folder=str(tmp_path / "c"), every_steps=4)
    steps = []
    first = run_job(
        config,
        prepared,
        checkpoints=checkpoints,
        on_step=lambda *_: steps.append(0),
        stop=lambda: len(steps) >= stop_at,
    )
    assert (first.result.status, len(steps)) == ("interrupted", stop_at)
    resumed = run_job(config, prepared, checkpoints=checkpoints, resume=True, on_step=lambda *_: steps.append(0))
    assert outcome(resumed) == expected
    assert len(steps) == 9 * 6


def test_resuming_with_nothing_there_starts(job, tmp_path):
    config = job()
    prepared = prepare(config)
    checkpoints = CheckpointConfig(folder=str(tmp_path / "c"))
    assert outcome(run_job(config, prepared, checkpoints=checkpoints, resume=True)) == outcome(
        run_job(config, prepared)
    )


def test_other_settings_or_data_are_refused(job, tmp_path):
    checkpoints = CheckpointConfig(folder=str(tmp_path / "c"))
    config = job()
    prepared = prepare(config)
    run_job(config, prepared, checkpoints=checkpoints)
    with pytest.raises(IoError, match=r"same run; expected fingerprint learning_rate 0[.]001, got 0[.]01"):
        run_job(job(learning_rate=0.01), prepared, checkpoints=checkpoints, resume=True)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    lines[1:] = ["9," + line.split(",", 1)[1] for line in lines[1:]]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(IoError, match="training data"):
        run_job(config, prepare(config), checkpoints=checkpoints, resume=True)
    more = job(num_epochs=8)
    assert run_job(more, prepared, checkpoints=checkpoints, resume=True).result.total_epochs == 8
