"""Where a key is found, and that nothing which comes out holds it."""

import json
import logging
import pickle
import sys
import traceback
from types import SimpleNamespace

import pytest
from IPython.core.ultratb import VerboseTB

from stand_in import MARKER, Said, as_json, chunk, events, held
from steer_engine import ModelError, Request, RowDone, compose, read_schema
from steer_engine.remote.credentials import find_key
from steer_engine.remote.rows import RemoteRow

ADA = '{"name": "Ada"}'
SCHEMA = read_schema("name: str")


class KeyringError(Exception):
    pass


def keyring(password):
    def get_password(service, host):
        assert service == "steermagic"
        return password(host)

    errors = SimpleNamespace(KeyringError=KeyringError)
    return SimpleNamespace(get_password=get_password, errors=errors)


def sent_to(host):
    key = find_key(host)
    return None if key is None else key.headers["Authorization"]


def test_without_a_key_none_is_sent(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)  # not installed
    assert find_key("host") is None


def test_the_environment_comes_before_the_keyring(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", keyring(lambda host: f"ring-{host}"))
    assert sent_to("gpu") == "Bearer ring-gpu"
    monkeypatch.setenv("STEERMAGIC_API_KEY", " sk-own\n")
    assert sent_to("gpu") == "Bearer sk-own"


def test_openais_key_is_for_openai_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    assert find_key("gpu") is None
    assert sent_to("api.openai.com") == "Bearer sk-openai"
    monkeypatch.setenv("STEERMAGIC_API_KEY", "sk-own")
    assert sent_to("api.openai.com") == "Bearer sk-openai"
    assert sent_to("gpu") == "Bearer sk-own"


def test_a_keyring_that_is_locked_or_empty_has_no_key(monkeypatch):
    def locked(host):
        raise KeyringError

    for password in (locked, lambda host: None):
        monkeypatch.setitem(sys.modules, "keyring", keyring(password))
        assert find_key("gpu") is None


def test_what_cannot_be_a_key_is_refused_without_repeating_it(monkeypatch):
    monkeypatch.setenv("STEERMAGIC_API_KEY", f"{MARKER}é")
    with pytest.raises(ModelError, match="the key in STEERMAGIC_API_KEY has characters") as caught:
        find_key("gpu")
    assert MARKER not in str(caught.value)


def test_a_key_cannot_be_stored(monkeypatch):
    monkeypatch.setenv("STEERMAGIC_API_KEY", MARKER)
    key = find_key("gpu")
    assert MARKER not in repr(key)
    with pytest.raises(TypeError, match="a key is not stored"):
        pickle.dumps(key)


# --- with the marker as the key, everything that comes out is searched for it ---


@pytest.fixture
def marked(monkeypatch, caplog, capfd):
    """Sets the key; at the end nothing that was printed or logged may hold it."""
    monkeypatch.setenv("STEERMAGIC_API_KEY", MARKER)
    with caplog.at_level(logging.DEBUG):
        yield
    assert not any(MARKER in record.getMessage() for record in caplog.records)
    assert MARKER not in "".join(capfd.readouterr())


def shown(error):
    """All that a person could be shown of an error: also by IPython's most talkative tracebacks."""
    seen = [repr(error), *traceback.format_exception(error)]
    frames = error.__traceback__
    while frames is not None and "/tests/" in frames.tb_frame.f_code.co_filename:
        frames = frames.tb_next  # a test knows the key
    seen += VerboseTB(theme_name="nocolor").structured_traceback(type(error), error, frames)
    while error is not None:
        seen += [repr(vars(error)), repr(error.args), str(getattr(error, "__notes__", ""))]
        error = error.__cause__ or error.__context__
    return "\n".join(seen)


def request():
    return Request(0, compose("Who?", SCHEMA), SCHEMA)


REPLIES = {
    "answers": lambda asked, n: held(asked, ADA),
    "is not valid": lambda asked, n: held(asked, "{}"),
    "repeats the key in an error": lambda asked, n: as_json(
        {"error": {"message": f"Incorrect API key provided: {MARKER}"}}, 400
    ),
    "repeats the key in a broken error": lambda asked, n: Said(f"<p>{MARKER}".encode(), 500),
    "repeats the key in the middle": lambda asked, n: events(
        chunk("{"), {"error": {"message": MARKER}}
    ),
    "repeats the key in a refusal": lambda asked, n: (
        held(asked, ADA) if asked.is_probe else events(chunk(refusal=MARKER), chunk(end="stop"))
    ),
    "refuses the schema with the key": lambda asked, n: (
        as_json({"error": {"message": f"schema of {MARKER}"}}, 400)
        if not asked.is_probe and "response_format" in asked.body
        else held(asked, ADA)
    ),
    "repeats the key as no JSON": lambda asked, n: Said(
        f"data: {MARKER}\n\n".encode(), kind="text/event-stream"
    ),
    "refuses the key": lambda asked, n: as_json({"error": MARKER}, 401),
    "breaks off": lambda asked, n: Said(b"", kind="text/event-stream"),
    "redirects": lambda asked, n: Said(b"", 302, headers={"location": f"http://h/{MARKER}"}),
}


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("reply", REPLIES)
def test_no_event_holds_the_key(stand_in, engine_at, reply):
    server = stand_in(REPLIES[reply])
    engine = engine_at(server)
    seen = list(engine.run([request()]))
    assert server.questions or server.probes
    assert all(a.headers["authorization"] == f"Bearer {MARKER}" for a in server.questions)
    for event in seen:
        assert MARKER not in repr(event)
        assert MARKER.encode() not in pickle.dumps(event)
        if (error := getattr(event, "error", None)) is not None:
            assert MARKER not in shown(error)
    assert MARKER not in repr(engine.info)
    assert MARKER not in repr(vars(engine))
    assert MARKER not in repr(engine.render(request()))


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(
    "page",
    [
        as_json({"error": {"message": f"bad key {MARKER}"}}, 401),
        as_json({"detail": MARKER}, 403),
        Said(MARKER.encode(), 404),
        Said(f"{{{MARKER}".encode()),
        Said(b"", 301, headers={"location": f"http://{MARKER}"}),
    ],
)
def test_no_error_on_opening_holds_the_key(stand_in, engine_at, page):
    with pytest.raises(ModelError) as caught:
        engine_at(stand_in(ADA, pages={"/v1/models": page}))
    assert MARKER not in shown(caught.value)


@pytest.mark.parametrize(
    ("key", "record"),
    [("EMPTY", {"name": "The fridge is EMPTY."}), ("1", {"name": "1"}), (MARKER, {"name": MARKER})],
)
def test_answers_are_left_as_they_are(monkeypatch, stand_in, engine_at, key, record):
    monkeypatch.setenv("STEERMAGIC_API_KEY", key)
    seen = list(engine_at(stand_in(json.dumps(record))).run([request()]))
    assert [event.record for event in seen if isinstance(event, RowDone)] == [record]


@pytest.mark.parametrize("key", ["hunter2", "sk-a/b", 'a"b'])
@pytest.mark.parametrize("n_before", [0, 290])
def test_a_key_is_hidden_however_it_is_written(monkeypatch, stand_in, engine_at, key, n_before):
    monkeypatch.setenv("STEERMAGIC_API_KEY", key)
    spelled = json.dumps("x" * n_before + key).replace("/", r"\/")
    page = Said(f'{{"error": {{"message": {spelled}}}}}'.encode(), 500)
    with pytest.raises(ModelError) as caught:
        engine_at(stand_in(ADA, pages={"/v1/models": page}))
    assert key[:3] not in str(caught.value)


@pytest.mark.usefixtures("marked")
def test_no_error_holds_the_key_where_nothing_answers(engine_at):
    with pytest.raises(ModelError, match="nothing answers at http://127") as caught:
        engine_at("http://127.0.0.1:9")
    assert MARKER not in shown(caught.value)


@pytest.mark.usefixtures("marked")
def test_no_traceback_of_a_defect_of_ours_holds_the_key(stand_in, engine_at, monkeypatch):
    def broken(self):
        raise ZeroDivisionError

    monkeypatch.setattr(RemoteRow, "_read", broken)
    with pytest.raises(ZeroDivisionError) as caught:
        list(engine_at(stand_in(ADA)).run([request()]))
    assert MARKER not in shown(caught.value)


@pytest.mark.usefixtures("marked")
def test_an_interrupt_shows_no_key(stand_in, engine_at, monkeypatch):
    engine = engine_at(stand_in(ADA))

    def interrupted(self, timeout):
        raise KeyboardInterrupt

    monkeypatch.setattr("steer_engine.remote.portal.Flow.next", lambda self: interrupted(self, 1))
    with pytest.raises(KeyboardInterrupt) as caught:
        list(engine.run([request()]))
    assert MARKER not in shown(caught.value)
