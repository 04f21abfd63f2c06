import csv
import errno
import json
import math
import os
import struct
from io import FileIO

import pytest
from tests.training.loop.runs import StopAt, make_loop

from trainsmith.errors import IoError
from trainsmith.loggers import CsvLogger, JsonLinesLogger, TensorBoardLogger
from trainsmith.loggers._events import crc32c, masked_crc, record, scalars_event, whole_records


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_checksums_are_those_of_rfc_3720(data, checksum):
    assert crc32c(data) == checksum


def test_a_record_has_the_bytes_of_its_format():
    data = record(b"abc")
    assert data[:8] == struct.pack("<Q", 3)
    assert data[8:12] == struct.pack("<I", masked_crc(data[:8]))
    assert data[12:15] == b"abc"
    assert data[15:] == struct.pack("<I", masked_crc(b"abc"))


def test_a_message_has_the_bytes_of_its_definition():
    message = scalars_event(1.5, 300, {"a": 0.5})
    value = b"\x0a\x01a\x15" + struct.pack("<f", 0.5)
    summary = b"\x0a" + bytes([len(value)]) + value
    assert message == b"\x09" + struct.pack("<d", 1.5) + b"\x10\xac\x02" + b"\x2a" + bytes([len(summary)]) + summary


def fields_of(message):
    """Reads one level of a protocol buffer: pairs of field number and value."""
    place = 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    found = []
    while place < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        else:
            length = {1: 8, 5: 4}.get(kind) or varint()
            value = message[place : place + length]
            place += length
        found.append((key >> 3, value))
    return found


def scalars_of(path):
    """Reads an event file on its own terms: (tag, step, value) of every scalar."""
    content = path.read_bytes()
    records = list(whole_records(content))
    assert records[-1][0] == len(content)
    assert dict(fields_of(records[0][1]))[3] == b"brain.Event:2"
    found = []
    for _, message in records[1:]:
        event = dict(fields_of(message))
        for _, value in fields_of(event[5]):
            one = dict(fields_of(value))
            found.append((one[1].decode(), event[2], struct.unpack("<f", one[2])[0]))
    return found


def test_tensorboard_gets_every_number_of_the_history(tmp_path):
    logger = TensorBoardLogger(tmp_path, every_steps=5)
    history = make_loop(max_epochs=2, callbacks=[logger]).run().history
    found = scalars_of(logger.path)
    assert [step for tag, step, _ in found if tag == "loss/step"] == [5, 10]
    for place, one in enumerate(history):
        step = 7 * (place + 1)
        assert ("loss/training", step, pytest.approx(one.training_loss, rel=1e-6)) in found
        assert ("loss/validation", step, pytest.approx(one.validation_loss, rel=1e-6)) in found
        assert ("learning_rate", step, pytest.approx(one.learning_rate, rel=1e-6)) in found
        assert ("validation/mae", step, pytest.approx(one.validation_metrics["mae"], rel=1e-6)) in found


def test_tensorboard_itself_reads_the_file(tmp_path):
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    history = make_loop(max_epochs=2, callbacks=[TensorBoardLogger(tmp_path)]).run().history
    events = loader.EventAccumulator(str(tmp_path)).Reload()
    assert [one.value for one in events.Scalars("loss/training")] == pytest.approx(
        [one.training_loss for one in history], rel=1e-6
    )


def test_csv_has_numbers_that_come_back_exactly(tmp_path):
    logger = CsvLogger(tmp_path / "deep" / "history.csv")
    history = make_loop(max_epochs=3, callbacks=[logger]).run().history
    with logger.path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["training_loss"]) for row in rows] == [one.training_loss for one in history]
    assert [float(row["validation_mae"]) for row in rows] == [one.validation_metrics["mae"] for one in history]
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]


def test_jsonl_has_one_object_per_epoch(tmp_path):
    logger = JsonLinesLogger(tmp_path / "history.jsonl")
    history = make_loop(max_epochs=2, callbacks=[logger]).run().history
    rows = [json.loads(line) for line in logger.path.read_text().splitlines()]
    assert rows == [one.to_dict() for one in history]
    assert json.loads(logger.text([{"x": math.nan, "y": 1.0}])) == {"x": None, "y": 1.0}


@pytest.mark.parametrize("stop_at", [4, 7, 10])
def test_files_of_a_resumed_run_are_those_of_an_uninterrupted_one(tmp_path, stop_at):
    def loggers(folder):
        return [
            CsvLogger(folder / "h.csv"),
            JsonLinesLogger(folder / "h.jsonl"),
            TensorBoardLogger(folder / "tb", every_steps=3),
        ]

    def contents(folder):
        rows = [line.rsplit(",", 1)[0] for line in (folder / "h.csv").read_text().splitlines()]
        objects = [json.loads(line) | {"seconds": 0} for line in (folder / "h.jsonl").read_text().splitlines()]
        return rows, objects, scalars_of(loggers(folder)[2].path)

    make_loop(callbacks=loggers(tmp_path / "whole")).run()
    watch, parts = StopAt(stop_at), tmp_path / "parts"
    make_loop(parts / "c", callbacks=[*loggers(parts), watch], stop=lambda: watch.reached).run()
    # What a process that was killed later has written behind the checkpoint.
    with loggers(parts)[2].path.open("ab") as file:
        file.write(record(b"later") + b"half a rec")
    with (parts / "h.csv").open("a") as file:
        file.write("99,half a li")
    make_loop(parts / "c", callbacks=loggers(parts), resume=True).run()
    assert contents(parts) == contents(tmp_path / "whole")


def test_a_new_run_replaces_the_files_of_an_older_one(tmp_path):
    for _ in range(2):
        loggers = [CsvLogger(tmp_path / "h.csv"), TensorBoardLogger(tmp_path / "tb")]
        make_loop(max_epochs=2, callbacks=loggers).run()
    assert len(loggers[0].path.read_text().splitlines()) == 3
    assert len({(tag, step) for tag, step, _ in scalars_of(loggers[1].path)}) == len(scalars_of(loggers[1].path))


@pytest.mark.parametrize("kind", [CsvLogger, JsonLinesLogger, TensorBoardLogger])
def test_a_place_that_cannot_be_written_is_one_error_that_names_it(tmp_path, kind):
    (tmp_path / "file").write_text("")
    with pytest.raises(IoError, match=r"log: file .* must be writable"):
        make_loop(callbacks=[kind(tmp_path / "file" / "x")]).run()
    assert os.listdir(tmp_path) == ["file"]


class FullDisk(FileIO):
    """Takes a few bytes of the third line, and then has no room."""

    lines = 0

    def write(self, data):
        self.lines += 1
        if self.lines == 3:
            return super().write(data[:5])
        if self.lines > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


@pytest.mark.parametrize("kind", [CsvLogger, JsonLinesLogger])
def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch, kind):
    logger = kind(tmp_path / "h")
    monkeypatch.setattr("trainsmith.loggers._file.FileIO", FullDisk)
    loop = make_loop(callbacks=[logger])
    with pytest.raises(IoError, match="No space left"):
        loop.run()
    assert logger.path.read_text() == kind(tmp_path / "other").text([one.to_dict() for one in loop.history[:2]])


def test_a_resumed_run_writes_only_what_is_new(tmp_path):
    logger, watch = CsvLogger(tmp_path / "h.csv"), StopAt(10)
    make_loop(tmp_path / "c", callbacks=[logger, watch], stop=lambda: watch.reached).run()
    before = logger.path.stat().st_ino, logger.path.read_bytes()
    make_loop(tmp_path / "c", callbacks=[CsvLogger(logger.path)], resume=True).run()
    assert logger.path.stat().st_ino == before[0]
    assert logger.path.read_bytes().startswith(before[1])
    # A file that is no part of the history is replaced as a whole.
    logger.path.write_text("something else\n")
    make_loop(tmp_path / "c", callbacks=[CsvLogger(logger.path)], resume=True, max_epochs=5).run()
    assert [line.split(",")[0] for line in logger.path.read_text().splitlines()] == ["epoch", *"12345"]
