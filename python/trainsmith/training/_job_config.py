"""The configuration of one training job: the sections of a configuration file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from trainsmith.data._nearest import nearest
from trainsmith.data._options import Config, InvalidConfigError, Problem, file_options, read, to_dict
from trainsmith.data._wording import shown
from trainsmith.models import complete_architecture, complete_windowed_architecture
from trainsmith.models._create import WINDOWED
from trainsmith.training._config import ModelConfig, SplitConfig, WorkflowConfig
from trainsmith.training._sections import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig, WindowsConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class JobConfig:
    """Everything that one training job needs to know.

    Args:
        data: the table.
        windows: how rows become windows.
        split: how its rows are divided.
        workflow: how to train, with the model.
        optimizer: the optimizer.
        schedule: the learning rate over the epochs.
        run: device, dtype and output.

    Example:
        >>> config = JobConfig.from_sections({"data": {"path": "t.csv", "target": "y"}, "model": {"type": "mlp"}})
        >>> config.workflow.model_config.type, JobConfig.from_sections(config.to_sections()) == config
        ('mlp', True)
    """

    data: DataConfig
    windows: WindowsConfig
    split: SplitConfig
    workflow: WorkflowConfig
    optimizer: OptimizerConfig
    schedule: ScheduleConfig
    run: RunConfig

    @classmethod
    def from_sections(cls, sections: Mapping[str, Any], source: str = "") -> "JobConfig":
        """Builds the configuration from the sections of a configuration file, strictly.

        Args:
            sections: section name to its keys, as a TOML parser returns them.
            source: the file's name, for messages.

        Returns:
            The configuration; `training.random_seed` is also the seed of the split.

        Raises:
            ConfigError: unknown sections or keys, missing keys, or values that break a rule; all of them.
        """
        problems: list[Problem] = []
        for name, entries in sections.items():
            if name not in SECTIONS:
                problems.append(
                    Problem(f"[{name}] is no known section", "a section", shown(name), nearest(name, SECTIONS))
                )
            elif not isinstance(entries, Mapping):
                problems.append(
                    Problem(f"{name} must be a section", f"[{name}] and keys below it", shown(entries), "add it")
                )
        parts: dict[str, Any] = {}
        for name, config in SECTIONS.items():
            entries = sections.get(name, {})
            if not isinstance(entries, Mapping):
                continue
            try:
                parts[name] = read(config, cast(Mapping[str, Any], entries), name, file=True)
            except InvalidConfigError as error:
                problems += error.problems
        if "model" in parts:
            model: ModelConfig = parts["model"]
            try:
                complete = complete_windowed_architecture if model.type in WINDOWED else complete_architecture
                architecture = complete(model.type, model.architecture)
                parts["model"] = replace(model, architecture=architecture)
            except InvalidConfigError as error:
                problems += error.problems
        if "split" in parts and "data" in parts:
            problems += _split_problems(parts["split"], parts["data"])
        if "windows" in parts and "split" in parts and "model" in parts:
            problems += _window_problems(parts["windows"], parts["split"], parts["model"])
        if problems:
            raise InvalidConfigError(problems, source)
        workflow: WorkflowConfig = replace(parts["training"], model_config=parts["model"])
        return cls(
            data=parts["data"],
            windows=parts["windows"],
            split=replace(parts["split"], random_seed=workflow.random_seed),
            workflow=workflow,
            optimizer=parts["optimizer"],
            schedule=parts["schedule"],
            run=parts["run"],
        )

    def to_sections(self) -> dict[str, dict[str, Any]]:
        """Returns the sections of a configuration file that gives this configuration; empty entries are left out."""
        parts: dict[str, Config] = {
            "data": self.data,
            "windows": self.windows,
            "split": self.split,
            "model": self.workflow.model_config,
            "training": self.workflow,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "run": self.run,
        }
        return {name: _file_entries(config) for name, config in parts.items()}


SECTIONS: dict[str, type[Config]] = {
    "data": DataConfig,
    "windows": WindowsConfig,
    "split": SplitConfig,
    "model": ModelConfig,
    "training": WorkflowConfig,
    "optimizer": OptimizerConfig,
    "schedule": ScheduleConfig,
    "run": RunConfig,
}
"""The sections of a configuration file, in order."""


def _file_entries(config: Config) -> dict[str, Any]:
    plain = to_dict(config)
    entries: dict[str, Any] = {}
    for key, (name, rule) in file_options(type(config)).items():
        value = getattr(config, name)
        if rule.kind == "config":
            entries[key] = _file_entries(value)
        elif value or rule.kind in ("int", "float", "bool"):
            entries[key] = plain[name]
    return entries


def _split_problems(split: SplitConfig, data: DataConfig) -> list[Problem]:
    if split.strategy == "walk_forward" and not (split.train_size and split.test_size):
        return [
            Problem(
                "a walk_forward split needs its sizes",
                "split.train_size and split.test_size, in rows",
                f"{split.train_size} and {split.test_size}",
                "set both",
            )
        ]
    if split.strategy == "group" and not data.group:
        return [Problem("a group split needs its column", "data.group", "nothing", "name the column in data.group")]
    return []


def _window_problems(windows: WindowsConfig, split: SplitConfig, model: ModelConfig) -> list[Problem]:
    if not windows.size:
        if model.type in WINDOWED:
            return [Problem(f"{model.type} needs windows", "windows.size of at least 1", "0", "set windows.size")]
        return []
    if split.strategy not in ("auto", "chronological", "walk_forward"):
        return [
            Problem(
                "windows are divided in time",
                'split.strategy = "chronological" or "walk_forward"',
                shown(split.strategy),
                "change it",
            )
        ]
    return []
