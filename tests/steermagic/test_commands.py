"""The commands of `%steer`."""

from __future__ import annotations

import re
from unittest.mock import patch

import pytest

import steermagic
from steer_engine import BudgetError, Engine, ModelError
from steer_engine.backends.fake import FakeBackend
from steer_engine.closing import Closer
from steermagic.accessor import SteerAccessor
from steermagic.commands import COMMANDS, help_text, run_command
from steermagic.display import SteerView
from steermagic.errors import CommandError
from steermagic.job import Job
from steermagic.options import OPTIONS, SteerOptions
from steermagic.schemas import read_source
from steermagic.session import Session


@pytest.fixture
def session() -> Session:
    return Session(lambda _spec: Engine(FakeBackend('{"a": "x"}')))


def run(session: Session, line: str, **names: object) -> str:
    return str(run_command(session, line, names))


def answer(session: Session, **options: object) -> object:
    return session.answer(Job(("hello",), read_source("a: str"), SteerOptions(**options)))


def test_the_status_tells_what_is_in_use(session):
    assert run(session, "") == "model in use: embedded\nno model is loaded yet"
    assert run(session, "use tiny.gguf --as tiny") == (
        "model in use: fake · fake · none · reads 4096 tokens"
    )
    assert run(session, "").startswith("model in use: tiny\nloaded: fake")
    assert "tiny: alias of tiny.gguf" in run(session, "models")
    assert run(session, "unload") == "1 model unloaded"
    assert run(session, "unload") == "0 models unloaded"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("unload embedded", "write %steer unload; it frees"),
        ("last 3", "write %steer last, or %steer runs show ID"),
        ("use --as x embedded", "write %steer use MODEL, or %steer use MODEL --as ALIAS"),
        ("use", "write %steer use MODEL"),
    ],
)
def test_words_that_a_command_does_not_know_are_refused(line, message, session):
    answer(session)
    with pytest.raises(CommandError, match=f"^{message}"):
        run(session, line)


def test_the_status_and_the_plan_are_of_the_model_that_is_set(session, monkeypatch):
    monkeypatch.setenv("STEERMAGIC_MODEL", "nosuch.gguf")
    assert run(session, "").startswith("model in use: nosuch.gguf\n")
    with pytest.raises(ModelError, match=r"nosuch\.gguf"):
        run(session, "plan")


def test_a_schema_is_shown_in_three_forms(session):
    shown = run(session, "schema Ticket", Ticket='subject: str  # in short\nlevel: "a" | "b"')
    assert "# compact\nsubject: str  # in short" in shown
    assert "# Pydantic\n" in shown
    assert "class " in shown
    assert '# JSON Schema\n{\n  "type": "object"' in shown


def test_a_form_that_cannot_say_a_schema_is_marked(session):
    schema = {"type": "object", "patternProperties": {"^a": {"type": "string"}}}
    assert "# compact\n(cannot say this schema exactly)" in run(session, "schema s", s=schema)


def test_the_last_result_can_be_had_again(session):
    frame = answer(session)
    assert run_command(session, "last", {}).equals(frame)


def test_the_last_failure_can_be_read(session):
    nothing = {"target": Engine, "attribute": "_check_budget", "new": lambda *_: None}
    unclosed = patch.object(Closer, "exceeded", lambda *_: None)
    with unclosed, patch.object(**nothing), pytest.raises(BudgetError):
        answer(session, max_tokens=4)
    assert run(session, "last").startswith("BudgetError: ")
    assert run(session, "last").endswith('\n{"a": "')


def test_all_tokens_can_be_seen(session):
    frame = answer(session)
    last, of_frame = run_command(session, "view", {}), run_command(session, "view f", {"f": frame})
    assert isinstance(last, SteerView)
    assert last == of_frame


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("hlep", "unknown command %steer hlep; did you mean 'help'?"),
        ("name: str", "unknown command %steer name:; %steer help lists them"),
        ("use", "write %steer use MODEL, or %steer use MODEL --as ALIAS"),
        ("use a --alias b", "write %steer use MODEL, or %steer use MODEL --as ALIAS"),
        ("use a --as my-model", "an alias is one word of letters, digits and _, not 'my-model'"),
        ("schema", "write %steer schema NAME, or the schema itself in place of NAME"),
        ("last", "nothing has run yet; start with a cell %%steer"),
        ("view frme", "there is no variable 'frme'; did you mean 'frame'?"),
        ("view frame", "'frame' is not a frame of one of the last %%steer cells"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(line, message, session):
    with pytest.raises(CommandError) as caught:
        run(session, line, frame=3)
    assert str(caught.value) == message


def test_help_lists_every_option_and_command(session):
    text = run(session, "help")
    assert text == help_text()
    assert all(flag in text for option in OPTIONS for flag in option.flags)
    assert all(command.usage in text for command in COMMANDS.values())
    assert max(map(len, text.splitlines())) <= 100


def test_what_help_says_of_frames_is_there(session):
    [results] = [part for part in run(session, "help").split("\n\n") if "df.steer.review" in part]
    named = re.findall(r"(?:\s|df\.steer)\.(\w+)", results)
    assert named[0] == "confidence"
    assert named[-1] == "review"
    assert all(hasattr(SteerAccessor, name) for name in named)
    tools = re.findall(r"steermagic\.(\w+)\(", results)
    assert tools == ["steer", "SchemaEditor", "playground"]
    assert {*tools} <= {*steermagic.__all__}


def test_the_embedded_model_says_what_it_is_and_what_it_is_not_for(session):
    card = run(session, "models embedded")
    assert "steermagic-tiny" in card
    for part in ("parameters", "MB", "## How it was made", "## How good it is", "| by hand "):
        assert part in card
    assert "## What it is not for" in card
    assert "models embedded shows the embedded one's card" in run(session, "models")
    with pytest.raises(CommandError, match="the embedded model only"):
        run(session, "models other")
