import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from steer_engine import BackendError
from steer_engine.remote.portal import Flow, Portal


@pytest.fixture
def portal():
    portal = Portal()
    yield portal
    portal.close()


def test_a_coroutine_runs_beside_this_thread(portal):
    async def both():
        return await asyncio.gather(asyncio.sleep(0.01, "a"), asyncio.sleep(0.01, "b"))

    assert portal.call(both()) == ["a", "b"]


@pytest.mark.parametrize("error", [ValueError("x"), TimeoutError("its own")])
def test_what_a_coroutine_raises_is_raised_here(portal, error):
    async def fail():
        raise error

    with pytest.raises(type(error), match=str(error)):
        portal.call(fail())


def test_it_works_while_a_loop_runs_in_this_thread(portal):
    async def inside():
        return portal.call(asyncio.sleep(0, "x"))

    assert asyncio.run(inside()) == "x"


def test_a_coroutine_that_takes_long_is_waited_for(portal):
    assert portal.call(asyncio.sleep(0.3, "x")) == "x"


def test_who_waits_is_told_when_another_thread_closes_it():
    portal = Portal()
    flow = Flow(portal)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(flow.next), pool.submit(lambda: portal.call(asyncio.sleep(100)))]
        time.sleep(0.1)
        portal.close()
        for each in waiting:
            with pytest.raises(BackendError, match="the model is closed"):
                each.result(5)
    flow.close()


@pytest.mark.filterwarnings("error")
def test_two_threads_may_close_it_and_what_comes_meanwhile_is_told():
    portal, closing, cleaned = Portal(), Event(), []

    async def endless():
        try:
            yield 1
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.1)
            cleaned.append(True)

    async def last():
        closing.set()
        await asyncio.sleep(0.2)

    flow, late = Flow(portal), Flow(portal)
    flow.start(endless())
    assert flow.next() == 1
    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(portal.close, last) for _ in range(2)]
        assert closing.wait(5)
        late.start(endless())
        with pytest.raises(BackendError, match="the model is closed"):
            portal.call(asyncio.sleep(0))
        with pytest.raises(BackendError, match="the model is closed"):
            late.next()
        assert [end.result(5) for end in ends] == [None, None]
    assert cleaned == [True]


def test_generators_run_side_by_side(portal):
    ready = asyncio.Event()

    async def first():
        await ready.wait()
        yield "second"

    async def second():
        yield "first"
        ready.set()

    flow = Flow(portal)
    flow.start(first())
    flow.start(second())
    assert [flow.next(), flow.next()] == ["first", "second"]
    flow.close()


def test_what_a_generator_raises_is_raised_here(portal):
    async def fail():
        yield 1
        raise ZeroDivisionError

    flow = Flow(portal)
    flow.start(fail())
    assert flow.next() == 1
    with pytest.raises(ZeroDivisionError):
        flow.next()
    flow.close()


def test_closing_cancels_and_waits_for_what_is_cleaned_up(portal):
    ended = []

    async def endless():
        try:
            yield 1
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.01)
            ended.append(True)

    flow = Flow(portal)
    flow.start(endless())
    assert flow.next() == 1
    flow.close()
    assert ended == [True]
    assert not portal.is_closed
