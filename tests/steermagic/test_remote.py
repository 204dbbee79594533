"""Cells whose model is on a server."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pandas as pd
import pytest

from stand_in import MARKER, Asked, Said, StandIn, held, stream
from steer_engine import open_engine
from steermagic.magics import SteerMagic
from steermagic.session import Session

ADA = '{"name": "Ada", "born": 1815}'


@pytest.fixture
def stand_in() -> Iterator[Callable[..., StandIn]]:
    with ExitStack() as stack:
        yield lambda *told, **options: stack.enter_context(closing(StandIn(*told, **options)))


@pytest.fixture
def run(shell, monkeypatch) -> Iterator[Callable[..., object]]:
    """Runs cells and lines in a shell whose models are opened for real."""
    monkeypatch.delenv("STEERMAGIC_API_KEY", raising=False)
    magics = SteerMagic(shell, Session(open_engine))
    shell.register_magics(magics)

    def run_cell(cell: str, **variables: object) -> object:
        shell.user_ns.update(variables)
        outcome = shell.run_cell(cell)
        outcome.raise_error()
        return outcome.result

    yield run_cell
    magics.session.unload()


def test_a_cell_names_a_server(run, stand_in):
    frame = run(f"%%steer name, born: int -m {stand_in(ADA).url}#tiny\nWho?")
    assert frame.loc[0, "name"] == "Ada"
    assert frame.loc[0, "born"] == 1815


def test_a_server_is_used_from_now_on_and_shown(run, stand_in, capsys):
    server = stand_in(ADA, models=[{"id": "org/q", "owned_by": "vllm", "max_model_len": 4096}])
    run(f"%steer use {server.url} --as box")
    run("%steer")
    run("%steer models")
    shown = capsys.readouterr().out
    assert "model in use: q · vLLM · reads 4096 tokens" in shown
    assert "box: alias of http://127.0.0.1" in shown
    assert run("%%steer name, born: int\nWho?").loc[0, "name"] == "Ada"


def test_each_row_of_a_table_is_asked_of_the_server(run, stand_in):
    server = stand_in(ADA)
    table = pd.DataFrame({"text": ["a", "b", "c"]})
    cell = f"%%steer name, born: int -m {server.url} --over table\nWho? {{{{ text }}}}"
    assert list(run(cell, table=table)["born"]) == [1815] * 3
    assert len(server.questions) == 3


def test_what_a_server_does_not_hold_is_noted(run, stand_in, capsys):
    server = stand_in(lambda *_: stream(ADA))
    run(f"%%steer name, born: int -m {server.url}\nWho?")
    assert "note: the server at http://127.0.0.1" in capsys.readouterr().out


def test_explain_and_dry_run(run, stand_in, capsys):
    url = stand_in(ADA).url
    run(f"%steer explain name: str -m {url}")
    run(f"%%steer name, born: int -m {url} --dry-run\nWho?")
    shown = capsys.readouterr().out
    assert "checked: the server is asked to hold it" in shown
    assert 'shortest value: {"name": ""}' in shown
    assert "begins with" not in shown
    assert "user: Who?\n\n(nothing was run)" in shown


def test_a_server_that_is_not_there_is_one_line(run):
    with pytest.raises(Exception, match="nothing answers at http://127") as caught:
        run("%steer use http://127.0.0.1:9")
    assert caught.type.__name__ == "ModelError"


def test_the_key_is_in_no_output_frame_or_store(run, stand_in, capsys, monkeypatch, tmp_path):
    def answer(asked: Asked, _: int) -> Said:
        assert asked.headers["authorization"] == f"Bearer {MARKER}"
        return held(asked, ADA)

    monkeypatch.setenv("STEERMAGIC_API_KEY", MARKER)
    place = tmp_path / "runs.sqlite"
    frame = run(
        f"%%steer name, born: int -m {stand_in(answer).url} --over table --cache --trace"
        f" --store {place}\nWho? {{{{ text }}}}",
        table=pd.DataFrame({"text": ["a", "b"]}),
    )
    run("%steer last")
    run("%steer view")
    run("%steer runs")
    assert MARKER not in "".join(capsys.readouterr())
    assert MARKER not in repr(frame) + repr(vars(frame.steer))
    assert place.exists()
    with closing(sqlite3.connect(place)) as database:
        assert MARKER not in "\n".join(database.iterdump())
    assert not any(MARKER.encode() in file.read_bytes() for file in _files(tmp_path))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
