"""A stored run as a file."""

from __future__ import annotations

import builtins
import json
import os
import sys
import threading
from contextlib import closing, contextmanager

import pandas as pd
import pytest

from stand_in import StandIn
from steer_engine import Engine, open_engine
from steer_engine.backends.fake import FakeBackend
from steermagic.errors import CommandError, MissingExtraError
from steermagic.exporting import export_run
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.schemas import read_source
from steermagic.session import Session
from steermagic.store import Store

LONG = "word " * 2000


@pytest.fixture
def exported(tmp_path, monkeypatch):
    """Run a job and export it; return the file."""
    monkeypatch.setenv("STEERMAGIC_STORE", str(tmp_path / "runs.sqlite"))

    def export(wish, schema, name, *, over=None, **options):
        session = Session(lambda _spec: Engine(FakeBackend(wish)))
        found = read_source(schema)
        if over is None:
            job = Job(("hi",), found, SteerOptions(**options))
        else:
            given = SteerOptions(over="x", **options)
            job = job_over(over, "{{ text }}", found, given, namespace={})
        session.run(job)
        store = session.store()
        file = tmp_path / name
        export.n_rows = export_run(store, store.runs()[0], str(file))
        return file

    return export


def test_lines_have_the_records_to_the_letter(exported):
    wish = '{"n": 100000000000000000000001, "s": "\\n é"}'
    file = exported(wish, "n: int, s: str", "rows.jsonl", over=["a", LONG, "c"])
    first, second, third = file.read_text("utf-8").splitlines()
    assert first == f'{{"row": 0, "record": {wish}}}'
    assert third == f'{{"row": 2, "record": {wish}}}'
    failure = json.loads(second)
    assert failure["row"] == 1
    assert failure["error"].startswith("PromptTooLongError: the prompt has")
    assert exported.n_rows == 3


def test_a_record_of_several_lines_is_written_on_one(tmp_path, monkeypatch):
    monkeypatch.setenv("STEERMAGIC_STORE", str(tmp_path / "runs.sqlite"))
    wish = '{\r\n  "n": 1.50,\n\t"s": "a\\n  b"\n}'
    with closing(StandIn(wish)) as server:
        session = Session(lambda _spec: open_engine(server.url))
        session.run(Job(("hi",), read_source("n: float, s: str"), SteerOptions()))
    store, file = session.store(), tmp_path / "rows.jsonl"
    export_run(store, store.runs()[0], str(file))
    [line] = file.read_bytes().splitlines()
    assert line == b'{"row": 0, "record": {    "n": 1.50, \t"s": "a\\n  b" }}'
    assert json.loads(line)["record"] == json.loads(wish)


def test_lines_of_texts(exported):
    file = exported('say "é"', "a: str", "rows.jsonl", unsteered=True)
    assert file.read_text("utf-8") == '{"row": 0, "record": "say \\"é\\""}\n'


def test_a_table_has_the_answers_beside_the_rows_number(exported):
    file = exported('[{"n": 1}, {"n": 2}]', "[n: int]", "rows.csv", over=["a", LONG])
    assert file.read_text() == "row,n\n0,1\n0,2\n1,\n"
    assert exported.n_rows == 3


def test_a_table_without_over_has_no_such_number(exported):
    assert exported('{"n": 1}', "n: int", "rows.CSV").read_text() == "n\n1\n"


def test_parquet_keeps_the_types(exported):
    wish = '{"row": 1, "tags": ["x"], "big": 100000000000000000000001, "who": {"at": "2026-01-31"}}'
    schema = "row: int, tags: list[str], big: int, who: {at: date}"
    frame = pd.read_parquet(exported(wish, schema, "rows.parquet", over=["a", LONG]))
    assert list(frame.columns) == ["row_", "row", "tags", "big", "who.at"]
    assert frame["row_"].tolist() == [0, 1]
    assert frame["tags"][0].tolist() == ["x"]
    assert int(frame["big"][0]) == 100000000000000000000001
    assert frame["who.at"].dtype.kind == "M"


def test_parquet_has_a_dict_as_text(exported):
    file = exported('{"d": {}, "tags": [], "t": null}', "d: dict[str, int]", "rows.parquet")
    assert pd.read_parquet(file)["d"].tolist() == ["{}"]


def test_parquet_needs_a_library(exported, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError("no pyarrow", name="pyarrow")
        return real(name, *args, **kwargs)

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r'pip install "steermagic\[arrow\]"'):
        exported('{"n": 1}', "n: int", "rows.parquet")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("rows.xlsx", {}, r"rows\.xlsx must end in \.parquet, \.csv or \.jsonl"),
        ("no/such/rows.csv", {}, "cannot be written: "),
        ("no/such/rows.jsonl", {}, "cannot be written: No such file or directory"),
        ("rows.csv", {"unsteered": True}, r"has no columns; write it to a \.jsonl file"),
    ],
)
def test_what_cannot_be_exported_says_why(name, options, message, exported):
    with pytest.raises(CommandError, match=message):
        exported('{"n": 1}', "n: int", name, **options)


@contextmanager
def small_disk(max_file_bytes):
    """Let no file grow beyond that many bytes."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


ENDINGS = ["csv", "jsonl", "parquet"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("earlier", [None, b"good"], ids=["new", "there"])
def test_a_file_that_cannot_be_finished_is_not_there_in_part(ending, earlier, exported, tmp_path):
    file = exported('{"n": 1}', "n: int", f"rows.{ending}")
    file.unlink()
    if earlier is not None:
        file.write_bytes(earlier)
    store = Store(tmp_path / "runs.sqlite")
    files = {each.name for each in tmp_path.iterdir()}
    with (
        small_disk(1),
        pytest.raises(CommandError, match=r"cannot be written: .*File too large"),
    ):
        export_run(store, store.runs()[0], str(file))
    assert {each.name for each in tmp_path.iterdir()} == files
    assert earlier is None or file.read_bytes() == earlier


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_is_replaced_keeps_its_link_and_who_may_read_it(ending, exported, tmp_path):
    target, link = tmp_path / "target", tmp_path / f"rows.{ending}"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    exported('{"n": 1}', "n: int", link.name)
    assert link.is_symlink()
    assert b"old" not in target.read_bytes()
    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_named_pipe_is_written_to(ending, exported, tmp_path):
    pipe, read = tmp_path / f"rows.{ending}", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    exported('{"n": 1}', "n: int", pipe.name)
    reader.join(10)
    assert read == ["n\n1\n" if ending == "csv" else '{"row": 0, "record": {"n": 1}}\n']
