"""Loggers: the history of a run in files. They are callbacks."""

from trainsmith.loggers._csv import CsvLogger
from trainsmith.loggers._file import FileLogger
from trainsmith.loggers._jsonl import JsonLinesLogger
from trainsmith.loggers._tensorboard import TensorBoardLogger

__all__ = ["CsvLogger", "FileLogger", "JsonLinesLogger", "TensorBoardLogger"]
