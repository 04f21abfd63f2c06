import io

import pytest

from trainsmith.callbacks import _display
from trainsmith.callbacks._display import PlainDisplay, RichDisplay, make_display
from trainsmith.callbacks._table import EpochTable, number_text, table_lines


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_file_gets_lines_only():
    lines, bar = io.StringIO(), io.StringIO()
    with PlainDisplay(lines, bar) as display:
        display.progress("epoch 1/2", 0.5)
        display.line("one")
    assert (lines.getvalue(), bar.getvalue()) == ("one\n", "")


def test_a_terminal_gets_a_bar_that_is_removed():
    lines, bar = io.StringIO(), Terminal()
    with PlainDisplay(lines, bar) as display:
        display.progress("epoch 1/2", 0.5)
        assert "[###############...............]  50%" in bar.getvalue()
        display.line("one")
        assert bar.getvalue().endswith(" \r")
    assert lines.getvalue() == "one\n"


def test_the_bar_is_not_redrawn_at_every_step():
    bar = Terminal()
    display = PlainDisplay(io.StringIO(), bar)
    for step in range(1000):
        display.progress("epoch", step / 1000)
    assert bar.getvalue().count("\r") < 20


def test_without_rich_a_terminal_gets_the_plain_display(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(_display.sys, "stdout", Terminal())
    monkeypatch.setattr(_display.importlib, "import_module", absent)
    assert isinstance(make_display(), PlainDisplay)


def test_rich_keeps_lines():
    module = pytest.importorskip("rich.progress")
    console = pytest.importorskip("rich.console").Console(file=io.StringIO(), force_terminal=True, width=80)
    display = RichDisplay(module, console=console)
    with display:
        display.progress("epoch 1/2", 0.5)
        display.line("a [line] 1")
    assert "a [line] 1" in console.file.getvalue()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0000"), (0.5, "0.5000"), (-12.34567, "-12.3457"), (1e-9, "1.000e-09"), (None, "-"), (7, "7"), ("x", "x")],
)
def test_numbers(value, text):
    assert number_text(value) == text


def test_tables_are_aligned():
    lines = table_lines(["part", "loss"], [["validation", 1.0], ["test", None]])
    assert lines == ["part          loss", "validation  1.0000", "test             -"]
    table = EpochTable(["epoch", "loss"])
    assert [len(line) for line in table.lines([1, 2.0]) + table.lines([10, None])] == [22, 22, 22]
