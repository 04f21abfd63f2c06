"""Laws that every implementation of an interface keeps: one function per Protocol, for the tests of plugins."""

from trainsmith.testing._backend_laws import (
    check_backend,
    check_predictor,
    check_windowed_backend,
    check_windowed_predictor,
)
from trainsmith.testing._data_laws import check_data_iterator, check_data_provider, check_sequence_provider
from trainsmith.testing._model_laws import check_gradient_strategy, check_model, check_trainer
from trainsmith.testing._validation_laws import check_cross_validator, check_fold, check_metric_computer
from trainsmith.testing._workflow_laws import check_model_provider, check_training_workflow

__all__ = [
    "check_backend",
    "check_cross_validator",
    "check_data_iterator",
    "check_data_provider",
    "check_fold",
    "check_gradient_strategy",
    "check_metric_computer",
    "check_model",
    "check_model_provider",
    "check_predictor",
    "check_sequence_provider",
    "check_trainer",
    "check_training_workflow",
    "check_windowed_backend",
    "check_windowed_predictor",
]
