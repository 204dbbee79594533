"""Interrupts at bad moments, messages that cannot be read, surroundings that are in the way."""

import io
import os
import pickle
import queue
import signal
import time
from enum import StrEnum
from types import SimpleNamespace

import pytest

from steer_engine import (
    BackendError,
    DefectError,
    Request,
    RowDone,
    RowFailed,
    Started,
    compose,
    read_schema,
)
from steer_engine.isolation import IsolatedEngine, child
from steer_engine.isolation.messages import (
    Call,
    Drop,
    Happened,
    More,
    Raised,
    Returned,
    Run,
    Wanted,
)
from steer_engine.isolation.process import _MAX_UNREAD, _read

SCHEMA = read_schema({"enum": ["A1", "A2"]})


class Ask(StrEnum):
    """Of a class that the model's process does not know."""

    PROMPT = "Is water wet?"
    SYSTEM = "Be short."


class Unreadable:
    """Can be pickled, but not unpickled."""

    def __reduce__(self):
        return int, ("no number",)


def request(row):
    return Request(row, compose(f"which? {row}", SCHEMA), SCHEMA, max_tokens=20)


def requests(n_rows):
    return [request(row) for row in range(n_rows)]


def ended(events):
    return [event.row for event in events if isinstance(event, RowDone | RowFailed)]


@pytest.fixture(scope="module")
def shared():
    with IsolatedEngine(n_threads=1) as engine:
        yield engine


@pytest.fixture
def mortal(shared):
    """An engine that has to answer right afterwards, perhaps in another process."""
    shared.check(SCHEMA)
    yield shared
    assert ["which? 7" in shared.render(request(row)) for row in (6, 7)] == [False, True]
    assert ended(shared.run(requests(1))) == [0]
    assert sorted(ended(shared.run(iter(requests(3))))) == [0, 1, 2]


@pytest.fixture
def engine(mortal):
    """An engine that has to answer right afterwards, in the process that it has."""
    before = mortal.process_id
    yield mortal
    assert mortal.process_id == before
    assert mortal._process.is_alive


@pytest.mark.parametrize("moment", ["before", "after", "when something came back"])
@pytest.mark.parametrize(
    ("kind", "asked"),
    [(Run, requests(5000)), (Run, None), (More, None), (Call, None)],
    ids=["known rows", "rows on demand", "more rows", "a call"],
)
def test_an_interrupt_leaves_no_answer_to_the_next_question(
    engine, monkeypatch, kind, asked, moment
):
    process = engine._process
    real = process.send

    def send(message):
        is_moment = isinstance(message, kind)
        if moment != "before" or not is_moment:
            real(message)
        while is_moment and moment.startswith("when") and process._messages.empty():
            time.sleep(0.001)
        if is_moment:
            raise KeyboardInterrupt

    monkeypatch.setattr(process, "send", send)
    with pytest.raises(KeyboardInterrupt):
        engine.render(request(0)) if kind is Call else list(engine.run(asked or iter(requests(3))))
    monkeypatch.undo()


def test_what_has_happened_is_told_before_an_interrupt_or_error_ends_the_run(engine):
    for error in (KeyboardInterrupt, RuntimeError("the table is gone")):
        run = engine.run(iter(requests(1)))
        assert next(run) == Started(None)
        number = engine._process._number
        late = [RowFailed(row, DefectError("late"), "") for row in range(97, 100)]
        engine._process._messages.put((number - 1, Happened((late[0],))))
        engine._process._messages.put((number, Happened(tuple(late[1:]))))
        assert next(event for event in run if event.row >= 97) == late[1]
        told = [run.throw(error)]
        with pytest.raises(type(error) if isinstance(error, Exception) else error):
            told.extend(run)
        assert 99 in ended(told)
        assert 97 not in ended(told)


def test_a_run_that_ends_without_its_last_rows_is_no_success(mortal):
    run = mortal.run(requests(1000))
    next(run)
    mortal._process._messages.put((mortal._process._number, Returned()))
    with pytest.raises(DefectError, match="without its last rows"):
        list(run)
    mortal._process.end()


def test_an_interrupt_while_a_message_is_written_leaves_no_half_of_it(engine, monkeypatch):
    process = engine._process
    real = process.send

    def send(message):
        real(message)
        if not isinstance(message, Drop):
            raise KeyboardInterrupt
        os.kill(process.id, signal.SIGCONT)

    monkeypatch.setattr(process, "send", send)
    os.kill(process.id, signal.SIGSTOP)  # the pipe is full for as long
    with pytest.raises(KeyboardInterrupt):
        engine.render(Request(0, compose("x" * 1_000_000, None), None))
    monkeypatch.undo()


def test_a_process_that_does_not_stop_is_ended(mortal, monkeypatch):
    monkeypatch.setattr("steer_engine.isolation.process._STOPS_WITHIN_S", 0.05)
    run, process = mortal.run(requests(1000)), mortal._process
    next(run)
    os.kill(mortal.process_id, signal.SIGSTOP)
    with pytest.raises(KeyboardInterrupt):
        [run.throw(KeyboardInterrupt), *run]
    assert not process.is_alive


def test_a_process_that_talks_on_is_ended_as_well(mortal, monkeypatch):
    class Talking(queue.SimpleQueue):
        def get(self, timeout=None):
            time.sleep(0.01)
            if timeout == 0:
                raise queue.Empty
            return process._number, Wanted(1)

    monkeypatch.setattr("steer_engine.isolation.process._STOPS_WITHIN_S", 0.05)
    run, process = mortal.run(requests(1)), mortal._process
    next(run)
    process._messages = Talking()
    run.close()
    assert not process.is_alive


def test_a_second_interrupt_ends_the_process_at_once(mortal):
    class Impatient(queue.SimpleQueue):
        def get(self, timeout=None):
            raise KeyboardInterrupt

    run, process = mortal.run(requests(1000)), mortal._process
    next(run)
    process._messages = Impatient()
    with pytest.raises(KeyboardInterrupt):
        run.throw(KeyboardInterrupt)
    assert not process.is_alive


def test_what_the_process_cannot_read_ends_it(mortal):
    with pytest.raises(BackendError, match=r"\(exit status 1: ValueError: invalid literal"):
        mortal._call("render", Unreadable())


def test_what_the_process_cannot_say_ends_it(mortal):
    with pytest.raises(BackendError, match="TypeError: cannot pickle 'generator' object"):
        mortal._call("run", [])


def test_what_the_process_says_and_cannot_be_read_ends_it(mortal):
    mortal._process._messages.put(AttributeError("there is no P"))
    with pytest.raises(BackendError, match="cannot be read, AttributeError: there is no P"):
        mortal.render(request(0))


def test_an_interrupt_while_it_is_found_out_what_it_died_of_ends_it(mortal, monkeypatch):
    process = mortal._process
    real = process._popen.wait

    def wait(timeout=None):
        if timeout is not None:
            raise KeyboardInterrupt
        return real()

    monkeypatch.setattr(process._popen, "wait", wait)
    process._messages.put(AttributeError("there is no P"))
    with pytest.raises(KeyboardInterrupt):
        mortal.render(request(0))
    assert not process.is_alive


@pytest.mark.parametrize(("status", "told"), [(3, "3"), (0xC0000005, "0xC0000005")])
def test_a_death_on_windows_is_told(mortal, monkeypatch, status, told):
    """There is no `signal.SIGKILL`: an AttributeError was all that was told."""
    run, process = mortal.run(requests(1000)), mortal._process
    next(run)
    real = process._popen.wait

    def wait(timeout=None):
        real(timeout)
        return status

    monkeypatch.setattr(process._popen, "wait", wait)
    monkeypatch.setattr("steer_engine.isolation.process.signal", SimpleNamespace())
    os.kill(process.id, signal.SIGKILL)
    with pytest.raises(BackendError, match=rf"process died \(exit status {told}\)"):
        list(run)


def test_it_is_waited_for_in_short_turns_between_which_an_interrupt_is_heard(engine, monkeypatch):
    """On Windows nothing interrupts a thread that waits for a lock."""
    real, waits = engine._process._messages, []

    class Slow(queue.SimpleQueue):
        def get(self, timeout=None):
            waits.append(timeout)
            if len(waits) < 4:
                raise queue.Empty
            return real.get(timeout=timeout)

    monkeypatch.setattr(engine._process, "_messages", Slow())
    assert "which? 5" in engine.render(request(5))
    monkeypatch.undo()
    assert max(waits) < 1


def test_text_of_other_classes_is_exact_when_it_is_sent(engine):
    [system, user] = messages = compose(Ask.PROMPT, None, system=Ask.SYSTEM)
    asked = Request(0, messages, None, max_tokens=3, inputs=(Ask.PROMPT,))
    assert [type(text) for text in (system.content, user.content, *asked.inputs)] == [str] * 3
    assert "Is water wet?" in engine.render(asked)
    assert ended(engine.run([asked])) == [0]


def test_files_beside_the_notebook_are_no_modules_of_the_process(tmp_path, monkeypatch):
    (tmp_path / "statistics.py").write_text("raise SystemExit('the file of the user')")
    (tmp_path / "queue.py").write_text("raise SystemExit('the file of the user')")
    monkeypatch.chdir(tmp_path)
    with IsolatedEngine(n_threads=1) as engine:
        assert engine.info.embedded


def test_a_reader_that_is_slow_makes_the_process_wait():
    class Ended:
        n_waits = 0

        def wait(self, _timeout):
            assert messages.qsize() == _MAX_UNREAD + 1 + self.n_waits // 3
            self.n_waits += 1
            return self.n_waits % 3 == 0

    pipe, messages = io.BytesIO(pickle.dumps((1, Wanted(1))) * 20), queue.SimpleQueue()
    _read(pipe, messages, Ended())
    said = [messages.get() for _ in range(21)]
    assert said[:-1] == [(1, Wanted(1))] * 20
    assert isinstance(said[-1], EOFError)


def test_events_are_joined_up_to_what_is_no_event():
    events = [RowFailed(row, DefectError("x"), "") for row in range(3)]
    single = [(1, Happened((event,))) for event in events]
    said = [*single[:2], (1, Wanted(1)), (1, Wanted(2)), single[2], (1, Returned())]
    assert [*child._together(said)] == [(1, Happened(tuple(events[:2]))), *said[2:]]


def test_an_error_of_many_lines_becomes_one_and_keeps_its_origin():
    class Odd(Exception):  # noqa: N818 - a local class has no name that pickle could find
        pass

    def fail():
        raise Odd("first\n  second")

    try:
        fail()
    except Odd as error:
        told = child._portable(error)
    assert str(told) == "Odd: first second; please report this"
    [note] = pickle.loads(pickle.dumps(Raised(told))).error.__notes__  # noqa: S301
    assert "In the model's process" in note
    assert 'raise Odd("first' in note


@pytest.mark.parametrize(("before", "after"), [("0\n", "500"), ("900\n", "900")])
def test_the_process_offers_itself_when_memory_runs_out(tmp_path, monkeypatch, before, after):
    score = tmp_path / "score"
    monkeypatch.setattr(child, "Path", lambda _path: score)
    child._offer_to_be_killed_first()  # another system
    score.write_text(before)
    child._offer_to_be_killed_first()
    assert score.read_text() == after
