"""The engine in a process of its own: the same answers, and a death that takes nothing with it."""

import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
from itertools import chain, islice
from pathlib import Path

import pytest

from steer_engine import (
    BackendError,
    DefectError,
    Finished,
    ModelError,
    Request,
    RowDone,
    SchemaError,
    Started,
    Steps,
    compose,
    open_engine,
    read_schema,
)
from steer_engine.isolation import IsolatedEngine
from steer_engine.isolation.child import _portable
from steer_engine.isolation.messages import Call
from steer_engine.isolation.process import Process
from steer_engine.models import embedded_path

N_KILLS = int(os.environ.get("STEER_TEST_KILLS", "8"))
N_HOSTILE = int(os.environ.get("STEER_TEST_HOSTILE_FILES", "100"))
SCHEMA = read_schema("name: str, paid: int 0..999")


def request(row, **options):
    prompt = compose(f"Ada paid {row} euros in Lisbon.", SCHEMA)
    return Request(row, prompt, SCHEMA, max_tokens=60, **options)


def texts(events):
    return {event.row: event.text for event in events if isinstance(event, RowDone)}


@pytest.fixture(scope="module")
def engine():
    with IsolatedEngine(n_threads=1) as engine:
        yield engine


@pytest.fixture(scope="module")
def expected():
    with open_engine(n_threads=1) as engine:
        return texts(engine.run([request(row) for row in range(20)]))


def test_it_answers_as_the_engine_does(engine, expected):
    asked = [request(row) for row in range(20)]
    events = [*engine.run(asked)]
    assert texts(events) == expected
    assert events[0] == Started(20)
    assert isinstance(events[-1], Finished)
    with open_engine(n_threads=1) as plain:
        assert engine.info == plain.info
        assert engine.render(asked[0]) == plain.render(asked[0])
        assert engine.count_tokens(asked[0]) == plain.count_tokens(asked[0])
        assert engine.explain(SCHEMA) == plain.explain(SCHEMA)
        assert engine.check(SCHEMA) is None


def test_requests_are_taken_as_they_are_needed(engine):
    taken = []

    def asked():
        for row in range(2000):
            taken.append(row)
            yield request(row)

    run = engine.run(asked())
    assert next(run) == Started(None)
    assert len([*islice((e for e in run if isinstance(e, RowDone)), 5)]) == 5
    run.close()
    assert len(taken) < 2000


def test_rows_that_come_slowly_are_answered_as_they_come(engine):
    taken = []

    def asked():
        for row in range(100):
            taken.append(row)
            yield request(row)
            time.sleep(0.2)

    run = engine.run(asked())
    next(event for event in run if isinstance(event, RowDone))
    run.close()
    assert len(taken) < 100


def test_errors_are_those_of_the_engine(engine):
    impossible = read_schema({"type": "string", "minLength": 3, "maxLength": 1})
    with pytest.raises(SchemaError):
        engine.check(impossible)
    with pytest.raises(SchemaError):
        [*engine.run([Request(0, compose("x", SCHEMA), impossible)])]
    with pytest.raises(ModelError, match="there is no model file"):
        IsolatedEngine("nowhere.gguf")
    run = engine.run([request(0)])
    next(run)
    with pytest.raises(BackendError, match="another run of this model is not finished"):
        engine.check(SCHEMA)
    run.close()
    assert len(texts(engine.run([request(0)]))) == 1


def test_an_error_of_the_requests_stops_the_run(engine):
    def broken():
        yield request(0)
        raise RuntimeError("the table is gone")

    with pytest.raises(RuntimeError, match="the table is gone"):
        [*engine.run(broken())]
    assert len(texts(engine.run([request(0)]))) == 1


def test_an_error_that_cannot_be_sent_is_told():
    class Odd(Exception):  # noqa: N818 - a local class has no name that pickle could find
        pass

    told = pickle.loads(pickle.dumps(_portable(Odd("what now"))))  # noqa: S301
    assert isinstance(told, DefectError)
    assert "Odd: what now" in str(told)
    assert "In the model's process" in _portable(ValueError("x")).__notes__[0]


@pytest.mark.parametrize(
    ("sign", "reason"),
    [(signal.SIGKILL, "out of memory"), (signal.SIGSEGV, "Fatal Python error: Segmentation fault")],
)
def test_a_death_is_told_and_the_next_call_works(expected, sign, reason):
    with IsolatedEngine(n_threads=1) as engine:
        run = engine.run(request(row) for row in range(20))
        assert isinstance([*islice(run, 2)][-1], Steps)
        os.kill(engine.process_id, sign)
        with pytest.raises(BackendError, match=reason):
            texts(run)
        assert texts(engine.run([request(3)])) == {3: expected[3]}


def test_what_was_finished_before_a_death_is_not_lost(expected):
    """Killed at random moments and run again with what is missing, all rows are there once."""
    moments = random.Random(7)
    with IsolatedEngine(n_threads=1) as engine:
        start = time.monotonic()
        assert texts(engine.run([request(row) for row in expected])) == expected
        whole_s = time.monotonic() - start
        n_deaths = 0
        while n_deaths < N_KILLS:
            done = {}
            while len(done) < len(expected):
                missing = [request(row) for row in expected if row not in done]
                kill = threading.Timer(moments.uniform(0, whole_s), os.kill, (engine.process_id, 9))
                kill.start()
                try:
                    for event in engine.run(missing):
                        if isinstance(event, RowDone):
                            assert event.row not in done
                            done[event.row] = event.text
                except BackendError as error:
                    assert "the model's process died" in str(error)  # noqa: PT017
                    n_deaths += 1
                kill.cancel()
                kill.join()
                if not engine._process.is_alive:
                    engine.check(SCHEMA)
            assert done == expected


def test_an_interrupt_reaches_it_and_leaves_it_usable(engine, expected):
    main = threading.main_thread().ident
    long = Request(0, compose("Lisbon " * 300, SCHEMA), SCHEMA, max_tokens=60)
    for asked in ([long], (request(row) for row in range(5000))):
        process_id = engine.process_id
        timer = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            texts(chain.from_iterable(engine.run(asked) for _ in range(1000)))
        timer.join()
        assert texts(engine.run([request(3)])) == {3: expected[3]}
        assert engine.process_id == process_id


def test_it_dies_with_whoever_started_it():
    script = (
        "import time\nfrom steer_engine.isolation import IsolatedEngine\n"
        "engine = IsolatedEngine(n_threads=1)\nprint(engine.process_id, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists() or sys.platform != "linux"
        parent.kill()
    for _ in range(100):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            break
        # A container without an init keeps the dead as zombies.
        if "Z" in Path(f"/proc/{child}/stat").read_text().rpartition(")")[2][:3]:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the model's process has outlived its parent")


def test_closing_it_ends_the_process():
    engine = IsolatedEngine(n_threads=1)
    process_id = engine.process_id
    engine.close()
    engine.close()
    with pytest.raises(BackendError, match="the model is closed; open it again"):
        engine.check(SCHEMA)
    with pytest.raises(BackendError, match="the model is closed; open it again"):
        next(engine.run([request(0)]))
    assert engine.process_id is None
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def test_damaged_model_files_never_reach_the_caller(tmp_path):
    """Truncated and bit-flipped files: an engine, an error or a death, but only over there."""
    whole = embedded_path().read_bytes()
    draw = random.Random(3)
    process, ends = Process(), {"opened": 0, "refused": 0, "died": 0}
    for number in range(N_HOSTILE):
        file = tmp_path / f"{number % 4}.gguf"
        file.write_bytes(_damaged(whole, draw))
        try:
            for _ in process.ask(Call("open", (str(file), 1))):
                pass
            ends["opened"] += 1
        except ModelError:
            ends["refused"] += 1
        except BackendError:
            ends["died"] += 1
            process.end()
            process = Process()
    process.end()
    assert sum(ends.values()) == N_HOSTILE
    assert ends["refused"] > 0


FORKED = """
import os, sys
from steer_engine import Request, RowDone, compose, read_schema
from steer_engine.isolation import IsolatedEngine

schema = read_schema("n: int 0..9")
request = Request(0, compose("Say a number.", schema), schema)
engine = IsolatedEngine(n_threads=1)
ask = lambda: [event.text for event in engine.run([request]) if isinstance(event, RowDone)]
said, parents = ask(), engine.process_id
child = os.fork()
if child == 0:
    assert not uses or (ask() == said and engine.process_id != parents)
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
assert ask() == said and engine.process_id == parents
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("uses", [True, False], ids=["used", "not used"])
def test_a_fork_starts_a_process_of_its_own_and_leaves_its_parents_alone(uses):
    code = f"uses = {uses}{FORKED}"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=60, check=True)


def _damaged(whole, draw):
    if draw.random() < 0.3:
        return whole[: draw.randrange(len(whole))]
    damaged = bytearray(whole)
    for _ in range(draw.choice((1, 3, 30))):
        at = draw.randrange(draw.choice((64, 4096, 100_000)))
        damaged[at] = draw.choice((0, 0xFF, 0x7F, damaged[at] ^ (1 << draw.randrange(8))))
    return bytes(damaged)
