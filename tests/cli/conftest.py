import pytest

from trainsmith.cli import main


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Runs the command line in an empty folder; returns exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run_words(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_words


@pytest.fixture
def job(tmp_path):
    """Writes a table and a configuration for it; returns the configuration's path."""

    def write(table, text="", target="y", epochs=2):
        content = table if isinstance(table, bytes) else table.encode()
        (tmp_path / "t.csv").write_bytes(content)
        config = tmp_path / "c.toml"
        config.write_text(
            f'[data]\npath = "t.csv"\ntarget = "{target}"\n{text}\n'
            f'[training]\nnum_epochs = {epochs}\n[run]\noutput = "out"\n'
        )
        return config

    return write
