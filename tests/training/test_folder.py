import pytest

from trainsmith.errors import IoError
from trainsmith.training._folder import check_new, new_folder, next_free

MARKER = "m.json"


def write(path, text="new", **options):
    with new_folder(path, overwrite=options.pop("overwrite", False), marker=MARKER) as folder:
        (folder / MARKER).write_text(text)
        if options.pop("fail", False):
            raise ValueError("half written")


def test_the_folder_appears_whole_with_its_parents(tmp_path):
    write(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / MARKER).read_text() == "new"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_nothing_appears_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="half written"):
        write(tmp_path / "a", fail=True)
    assert list(tmp_path.iterdir()) == []


def test_an_error_keeps_the_older_folder(tmp_path):
    write(tmp_path / "a", "old")
    with pytest.raises(ValueError, match="half written"):
        write(tmp_path / "a", overwrite=True, fail=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a" / MARKER).read_text() == "old"


def test_an_existing_folder_is_refused_with_the_next_free_name(tmp_path):
    write(tmp_path / "a", "old")
    write(tmp_path / "a-2")
    with pytest.raises(IoError, match=r"a-3, or pass --overwrite"):
        write(tmp_path / "a")
    assert (tmp_path / "a" / MARKER).read_text() == "old"
    assert next_free(tmp_path / "a").name == "a-3"


def test_overwrite_replaces_an_older_result_and_leaves_no_trace(tmp_path):
    write(tmp_path / "a", "old")
    (tmp_path / "a" / "further").write_text("x")
    write(tmp_path / "a", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == [MARKER]


def test_overwrite_never_replaces_other_things(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    for name in ("home", "file"):
        with pytest.raises(IoError, match="only an older result"):
            write(tmp_path / name, overwrite=True)
    assert (tmp_path / "home" / "thesis.txt").read_text() == "x"


def test_a_place_that_cannot_hold_a_folder_is_refused_early(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(IoError, match="must be writable"):
        check_new(tmp_path / "file" / "a" / "b", overwrite=False, marker=MARKER)
