"""Processes that are killed, a disk that is full, two kernels at once: no finished row is lost."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("worker.py")
N_ROWS, N_KILLS = 200, 20


class Worker:
    """Starts processes that run the same job; see `worker.py`."""

    def __init__(self) -> None:
        path = os.pathsep.join(sys.path)
        self._process = subprocess.Popen(
            [sys.executable, WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._line() == "ready"

    def start(self, folder: Path, **task: object) -> int:
        """Start a process; return its number."""
        folder.mkdir()
        self._process.stdin.write(
            json.dumps({"folder": str(folder), "n_rows": N_ROWS, **task}) + "\n"
        )
        self._process.stdin.flush()
        return int(self._line())

    def wait(self) -> int:
        """Wait for the end of the process; return its status."""
        return int(self._line())

    def run(self, folder: Path, **task: object) -> dict:
        """Return how a run ended that nobody disturbs."""
        self.start(folder, **task)
        assert self.wait() == 0
        return json.loads((folder / "outcome.json").read_text())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _line(self) -> str:
        return self._process.stdout.readline().strip()


@pytest.fixture(scope="module")
def worker():
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def undisturbed(worker, tmp_path_factory) -> list[int]:
    """The values of a run that nobody disturbs."""
    outcome = worker.run(tmp_path_factory.mktemp("undisturbed") / "run", store="off")
    assert len(set(outcome["n"])) > 20
    return outcome["n"]


def numbers(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def read(store: Path, query: str) -> list[tuple]:
    with sqlite3.connect(store) as connection:
        return connection.execute(query).fetchall()


def committed(store: Path) -> list[int]:
    """The rows of the only run that have an answer."""
    if not (store.exists() and read(store, "SELECT 1 FROM sqlite_master WHERE name = 'runs'")):
        return []
    return [row for (row,) in read(store, "SELECT number FROM run_rows JOIN answers USING (key)")]


@pytest.mark.parametrize("seed", range(N_KILLS))
def test_a_killed_run_goes_on_where_it_was(seed, worker, undisturbed, tmp_path):
    chance = random.Random(seed)
    n_told, delay_s = chance.randrange(N_ROWS), chance.uniform(0, 0.004)
    store = tmp_path / "runs.sqlite"
    process = worker.start(tmp_path / "killed", store=str(store))
    while len(numbers(tmp_path / "killed" / "told")) < n_told:
        time.sleep(0.001)
    time.sleep(delay_s)
    os.kill(process, signal.SIGKILL)
    assert worker.wait() == signal.SIGKILL

    told = numbers(tmp_path / "killed" / "told")
    kept = committed(store)
    assert len(set(kept)) == len(kept) >= len(told)  # nobody was told of a row that is not there
    outcome = worker.run(tmp_path / "resumed", store=str(store))
    assert outcome["n"] == undisturbed
    asked = numbers(tmp_path / "resumed" / "asked")
    assert sorted([*kept, *asked]) == [*range(N_ROWS)]  # nothing twice, nothing left out
    if kept:
        [note] = outcome["notes"]
        assert re.fullmatch(rf"{len(kept)} of {N_ROWS} rows \w+ finished before and \w+ kept", note)
        assert read(store, "SELECT state FROM runs ORDER BY number") == [("continued",), ("done",)]
    assert read(store, "PRAGMA integrity_check") == [("ok",)]
    assert not [*tmp_path.glob("*.lock")]


def test_a_run_that_is_killed_again_and_again_comes_to_an_end(worker, undisturbed, tmp_path):
    store, chance = tmp_path / "runs.sqlite", random.Random(0)
    asked = list[int]()
    for life in range(5):
        folder = tmp_path / str(life)
        process = worker.start(folder, store=str(store))
        n_kept = life * 40
        while len(numbers(folder / "told")) < n_kept + chance.randrange(20, 30):
            time.sleep(0.001)
        os.kill(process, signal.SIGKILL)
        worker.wait()
        asked += numbers(folder / "asked")
    outcome = worker.run(tmp_path / "last", store=str(store))
    assert outcome["n"] == undisturbed
    asked += numbers(tmp_path / "last" / "asked")
    assert set(asked) == set(range(N_ROWS))
    states = [state for (state,) in read(store, "SELECT state FROM runs ORDER BY number")]
    assert states == ["continued"] * 5 + ["done"]


def test_two_kernels_share_a_store(worker, undisturbed, tmp_path):
    other = Worker()
    store = tmp_path / "runs.sqlite"
    folders = (tmp_path / "one", tmp_path / "other")
    for each, folder in zip((worker, other), folders, strict=True):
        each.start(folder, store=str(store))
    assert (worker.wait(), other.wait()) == (0, 0)
    other.close()
    for folder in folders:
        outcome = json.loads((folder / "outcome.json").read_text())
        assert outcome == {"n": undisturbed, "notes": [], "errors": 0}
        assert numbers(folder / "told") == [*range(1, N_ROWS + 1)]
    assert read(store, "SELECT state FROM runs") == [("done",), ("done",)]
    assert read(store, "SELECT count(*), count(key) FROM run_rows") == [(2 * N_ROWS, 2 * N_ROWS)]
    assert read(store, "SELECT count(*) FROM answers") == [(N_ROWS,)]


FULL = ("used", "make room for it")
READ_ONLY = ("written", "make it and its folder writable")


def check_in_memory_only(
    outcome: dict,
    undisturbed: list[int],
    store: Path,
    reason: str,
    trouble: tuple[str, str] = FULL,
) -> None:
    done, advice = trouble
    assert outcome["n"] == undisturbed
    assert outcome["errors"] == 0
    [note] = outcome["notes"]
    assert note.startswith(f"rows are in memory only: the run store {store} cannot be {done} (")
    assert reason in note
    assert note.endswith(f"; {advice}, or give the setting `store` another path")
    assert "\n" not in note


def test_a_file_that_may_not_grow_loses_no_row(worker, undisturbed, tmp_path):
    store = tmp_path / "runs.sqlite"
    outcome = worker.run(tmp_path / "run", store=str(store), max_file_bytes=200_000)
    check_in_memory_only(outcome, undisturbed, store, "disk I/O error")
    assert 0 < len(committed(store)) < N_ROWS
    again = worker.run(tmp_path / "again", store=str(store))
    assert "were finished before" in again["notes"][0]
    assert again["n"] == undisturbed


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, that a test may fill or make read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    try:
        is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        is_mounted = False
    if not is_mounted:
        pytest.skip("only root may mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_no_row(worker, undisturbed, small_disk, tmp_path):
    store = small_disk / "runs.sqlite"
    outcome = worker.run(tmp_path / "run", store=str(store))
    check_in_memory_only(outcome, undisturbed, store, "disk is full")


def test_a_read_only_store_loses_no_row(worker, undisturbed, small_disk, tmp_path):
    store = small_disk / "runs.sqlite"
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    outcome = worker.run(tmp_path / "new", store=str(store))
    check_in_memory_only(outcome, undisturbed, store, "Read-only file system", READ_ONLY)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    sqlite3.connect(store).close()
    store.touch()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    outcome = worker.run(tmp_path / "old", store=str(store))
    check_in_memory_only(outcome, undisturbed, store, "readonly database", READ_ONLY)
