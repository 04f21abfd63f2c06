import pytest

import trainsmith as ts


def test_version(run):
    assert run("--version")[:2] == (0, f"trainsmith {ts.__version__}\n")


@pytest.mark.parametrize("words", [[], ["fit"], ["train"]])
def test_wrong_words(run, words):
    code, _, err = run(*words)
    assert code == 2
    assert "usage: trainsmith" in err


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["predict", "--help"], ["init", "--help"]])
def test_help(run, words):
    code, out, _ = run(*words)
    assert code == 0
    assert "usage: trainsmith" in out
