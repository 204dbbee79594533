"""A file that cannot be the store is refused in one line, and the run goes on without it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
import pytest

from steermagic.errors import StoreError
from steermagic.exporting import export_run
from steermagic.judgements import Judgement
from steermagic.store import Store, open_store
from steermagic.store.database import Database


def test_the_store_is_in_the_users_data_folder_by_default(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    if platformdirs.user_data_path("steermagic").parent != tmp_path:
        pytest.skip("this system has its data folder elsewhere")
    open_store(None).close()
    assert (tmp_path / "steermagic" / "runs.sqlite").is_file()
    for place in ("steermagic", "steermagic/runs.sqlite"):
        assert (tmp_path / place).stat().st_mode & 0o077 == 0


def test_a_place_may_be_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    open_store("~/mine.sqlite").close()
    assert (tmp_path / "mine.sqlite").is_file()


@pytest.mark.parametrize("place", ["off", "OFF", "Off", "none", "None", "false", "FALSE"])
def test_off_is_no_file_however_it_is_written(place, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    store = open_store(place)
    assert (store.place, [*tmp_path.iterdir()]) == ("off", [])
    store.close()


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")


def newer(path: Path) -> None:
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")


def damaged(path: Path) -> None:
    Store(path).close()
    pages = bytearray(path.read_bytes())
    pages[100:4096] = os.urandom(3996)  # the list of tables, behind the header
    path.write_bytes(pages)


UNUSABLE = {
    "foreign": (foreign, "is not a run store of steermagic; give the setting `store` another"),
    "text": (lambda path: path.write_text("hello " * 999), "is not a run store of steermagic"),
    "newer": (newer, "was written by a newer steermagic (its form is 99, this version knows 1)"),
    "damaged": (damaged, "is damaged ("),
    "a folder": (lambda path: path.mkdir(), "is a folder; name a file in it"),
    "no folder": (lambda path: path.parent.write_text(""), "cannot be used (File exists)"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_file_that_cannot_be_used_is_named_and_the_rows_are_kept(name, path, kernel):
    make, words = UNUSABLE[name]
    if name != "no folder":
        path.parent.mkdir()
    make(path)
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    one = kernel()
    run = one.run(["a", "b", "a"], cache=True)
    assert run.notes == (f"rows are in memory only: {caught.value}",)
    assert len(one.values(run)) == 3
    assert one.asked == [0, 1]
    assert one.run(cache=True).notes  # told each time
    assert one.asked == [2]


def test_an_empty_file_becomes_a_store(path):
    path.parent.mkdir()
    path.touch()
    assert Store(path).count() == 0


def test_a_store_that_is_deleted_is_made_anew(path, kernel):
    one = kernel()
    one.run()
    for file in path.parent.iterdir():
        file.unlink()
    one.run()
    assert one.states == ["done"]
    assert path.is_file()


def write(database: Database, *statements: str, error: BaseException | None = None) -> None:
    with database.transaction() as connection:
        for statement in statements:
            connection.execute(statement)
        if error is not None:
            raise error


def test_what_fails_is_undone(path):
    database = Database(path)
    row = "INSERT INTO run_rows (run, number, key, failure) VALUES (1, 1, x'00', NULL)"
    with pytest.raises(StoreError, match="no such table: others"):
        write(database, row, "DELETE FROM others")
    with pytest.raises(KeyboardInterrupt):
        write(database, row, error=KeyboardInterrupt())
    assert database.read("SELECT * FROM run_rows") == []
    write(database, row)
    assert len(database.read("SELECT * FROM run_rows")) == 1


def test_a_store_that_is_locked_for_long_is_told(path, monkeypatch, kernel):
    Store(path).close()
    monkeypatch.setattr("steermagic.store.database._PATIENCE_S", 0.05)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        [note] = kernel().run().notes
        other.execute("ROLLBACK")
    assert "is held by another program (database is locked); wait until" in note


def test_a_store_that_is_locked_when_a_run_begins_is_told(path, monkeypatch, kernel):
    monkeypatch.setattr("steermagic.store.database._PATIENCE_S", 0.05)
    one = kernel()
    one.run()
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        [note] = one.run().notes
        other.execute("ROLLBACK")
    assert "is held by another program (database is locked); wait until" in note
    assert not [*path.parent.glob("*.lock")]
    assert one.run().notes == ()


@pytest.mark.parametrize("is_new", [False, True], ids=["old", "new"])
@pytest.mark.parametrize("is_long", [False, True], ids=["a moment", "long"])
def test_a_store_waits_for_another_kernel(is_new, is_long, path, monkeypatch):
    monkeypatch.setattr("steermagic.store.database._PATIENCE_S", 0.01 if is_long else 30)
    Store(path).close()
    if is_new:
        path.unlink()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN IMMEDIATE")
    releasing = threading.Timer(0.1, other.rollback)
    if is_long:
        with pytest.raises(StoreError, match="database is locked"):
            Store(path)
        other.rollback()
    else:
        releasing.start()
        assert Store(path).count() == 0
        releasing.join()
    other.close()


def test_many_processes_may_make_the_store_at_once(path):
    code = (
        f"from steermagic.store import Store; from pathlib import Path; Store(Path({str(path)!r}))"
    )
    starting = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [process.wait(60) for process in starting] == [0, 0, 0]


@pytest.mark.parametrize("cache", [False, True], ids=["written", "read"])
def test_a_store_that_breaks_during_the_run_is_given_up(cache, path, kernel):
    one = kernel()

    def break_it(n_finished: int, _n_failed: int) -> None:
        if n_finished == 10:
            with sqlite3.connect(path) as connection:
                connection.execute("DROP TABLE answers")

    texts = [f"text {n}" for n in range(200)]
    run = one.session.run(one.job(texts, cache=cache), progress=break_it)
    assert len(run.records) == 200
    [note] = run.notes
    assert note.startswith("rows are in memory only: the run store ")
    assert "no such table" in note


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder on a way that every user may go."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder).resolve()


@contextmanager
def read_only(*places: Path) -> Iterator[None]:
    """Let nobody write there, the superuser included."""
    modes = [place.stat().st_mode for place in places]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        for place, mode in zip(places, modes, strict=True):
            place.chmod(mode)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="this system has other rights")
@pytest.mark.parametrize("closed", ["the file", "the folder", "both"])
def test_a_store_that_may_only_be_read_is_read(closed, open_folder, tmp_path, kernel):
    path = open_folder / "runs.sqlite"
    one = kernel()
    one.session.settings = lambda: {"store": str(path)}
    first = one.run(store=str(path))
    one.session.store(str(path)).close()
    path.chmod(0o644)
    open_folder.chmod(0o777)
    places = {"the file": [path], "the folder": [open_folder], "both": [path, open_folder]}
    file = open_folder / "rows.csv"
    with read_only(*places[closed]):
        store = Store(path)
        [stored] = store.runs()
        assert (stored.id, store.count(), store.ids(limit=9)) == (first.id, 1, [first.id])
        assert store.newest_unfinished() is None
        assert [row.text for row in store.rows(store.find(first.id))] == [
            row.text for row in first.rows
        ]
        said = rf"^the run store {path} cannot be written \("
        with pytest.raises(StoreError, match=said):
            store.judge(first.id, (0, -1), Judgement("corrected", {"n": 3}))
        with pytest.raises(StoreError, match=said):
            store.prune(keep=0)
    assert export_run(store, stored, str(file)) == 3
    store.close()


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="this system has other rights")
def test_rows_that_only_a_log_has_are_not_passed_over(open_folder):
    path = open_folder / "runs.sqlite"
    writing = Store(path)
    for file in open_folder.iterdir():
        file.chmod(0o644)
    (open_folder / "copy").mkdir()
    copy = open_folder / "copy" / path.name
    for ending in ("", "-wal"):
        copy.with_name(path.name + ending).write_bytes(
            path.with_name(path.name + ending).read_bytes()
        )
    writing.close()
    with read_only(copy.parent), pytest.raises(StoreError, match="cannot be written"):
        Store(copy)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="this system has other rights")
def test_a_place_that_cannot_be_written_is_told(open_folder, kernel):
    with read_only(open_folder):
        for path in (open_folder / "runs.sqlite", open_folder / "data" / "runs.sqlite"):
            [note] = kernel().run(store=str(path)).notes
            assert note == (
                f"rows are in memory only: the run store {path} cannot be written (Permission"
                " denied); make it and its folder writable, or give the setting `store` another"
                " path"
            )
