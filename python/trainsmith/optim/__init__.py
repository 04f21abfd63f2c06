"""Optimizers, averages of parameters and learning-rate schedulers; names, arguments and state keys are torch's."""

from trainsmith.optim import lr_scheduler
from trainsmith.optim._adadelta import Adadelta
from trainsmith.optim._adafactor import Adafactor
from trainsmith.optim._adagrad import Adagrad
from trainsmith.optim._adam import Adam
from trainsmith.optim._adamax import Adamax
from trainsmith.optim._adamw import AdamW
from trainsmith.optim._adamw8bit import AdamW8bit
from trainsmith.optim._ema import EMA
from trainsmith.optim._lamb import LAMB
from trainsmith.optim._lars import LARS
from trainsmith.optim._lion import Lion
from trainsmith.optim._muon import Muon
from trainsmith.optim._nadam import NAdam
from trainsmith.optim._optimizer import Optimizer
from trainsmith.optim._param_group import ParamGroup
from trainsmith.optim._radam import RAdam
from trainsmith.optim._rmsprop import RMSprop
from trainsmith.optim._sgd import SGD
from trainsmith.optim._swa import SWA
from trainsmith.optim._update_bn import update_bn

__all__ = [
    "EMA",
    "LAMB",
    "LARS",
    "SGD",
    "SWA",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "AdamW8bit",
    "Adamax",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "ParamGroup",
    "RAdam",
    "RMSprop",
    "lr_scheduler",
    "update_bn",
]
