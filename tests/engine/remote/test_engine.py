"""The engine against a server that misbehaves in every way that was seen, and some more."""

import itertools
import json
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from itertools import chain, count, islice

import pytest

from stand_in import Said, as_json, chunk, events, held, stream
from steer_engine import (
    BackendError,
    BudgetError,
    Choices,
    Finished,
    ModelError,
    Noted,
    Regex,
    Request,
    RowDone,
    RowError,
    RowFailed,
    Sampling,
    SchemaError,
    ServerError,
    ServerLostError,
    Started,
    Steps,
    StepsUndone,
    compose,
    read_schema,
)
from steer_engine.remote import client as client_module
from steer_engine.remote.probing import WORD

PERSON = read_schema("name: str, born: int")
ADA = '{"name": "Ada", "born": 1815}'


def request(row=0, *, schema=PERSON, prompt="Who?", **options):
    return Request(row, compose(prompt, schema), schema, **options)


def only_end(engine, *requests):
    *_, end, finished = engine.run(requests or [request()])
    assert isinstance(finished, Finished)
    return end


def text_of(run):
    """The text that the steps of a row spell, those left out that were taken back."""
    steps = []
    for event in run:
        if isinstance(event, Steps):
            steps += event.steps
        elif isinstance(event, StepsUndone):
            del steps[len(steps) - event.n_steps :]
    return b"".join(step.spelling for step in steps).decode()


def test_a_run_tells_its_story_in_order(stand_in, engine_at):
    started, *steps, done, finished = engine_at(stand_in(ADA)).run([request()])
    assert started == Started(1)
    assert all(isinstance(event, Steps) for event in steps)
    assert text_of(steps) == done.text == ADA
    assert done.record == {"name": "Ada", "born": 1815}
    assert (done.finish_reason, done.n_prompt_tokens) == ("stop", 7)
    assert (finished.n_done, finished.n_failed) == (1, 0)


def test_steps_know_their_place_and_have_no_token_where_none_is_told(stand_in, engine_at):
    run = engine_at(stand_in(ADA)).run([request()])
    steps = [step for event in run if isinstance(event, Steps) for step in event.steps]
    assert {step.pointer for step in steps} == {"", "/name", "/born"}
    assert {(step.token, step.logprob, step.origin) for step in steps} == {(-1, None, "chosen")}


def test_a_run_without_rows_asks_nothing(stand_in, engine_at):
    server = stand_in(ADA)
    started, finished = engine_at(server).run([])
    assert (started.n_rows, finished.n_done) == (0, 0)
    assert server.questions == []


def test_a_server_that_answers_at_once_need_not_stream(stand_in, engine_at):
    def answer(asked, _):
        text = json.dumps({"word": WORD}) if asked.is_probe else ADA
        message = {"message": {"content": text}, "finish_reason": "stop"}
        return as_json({"choices": [message], "usage": {"prompt_tokens": 3}})

    end = only_end(engine_at(stand_in(answer)))
    assert (end.text, end.n_prompt_tokens) == (ADA, 3)


def test_rows_are_in_flight_side_by_side_and_pulled_as_they_end(stand_in, engine_at):
    most, now, lock = 0, 0, threading.Lock()

    def answer(asked, _):
        nonlocal most, now
        if not asked.is_probe:
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.05)
            with lock:
                now -= 1
        return held(asked, ADA)

    pulled = 0

    def requests():
        nonlocal pulled
        for row in count():
            pulled += 1
            yield request(row)

    engine = engine_at(stand_in(answer), "?parallel=3")
    run = engine.run(requests())
    assert next(run).n_rows is None
    ends = islice((event for event in run if isinstance(event, RowDone)), 7)
    assert len({end.row for end in ends}) == 7
    run.close()
    assert most == 3
    assert 7 < pulled <= 7 + 2 * 3 + 1


def test_runs_of_several_threads_go_side_by_side(stand_in, engine_at):
    engine = engine_at(stand_in(ADA))
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: list(engine.run([request()])), range(8)))
    assert all(run[-2].text == ADA for run in runs)
    assert sum(isinstance(event, Noted) for run in runs for event in run) == 0


def test_an_engine_may_be_closed_before_its_run_is(stand_in, engine_at):
    engine = engine_at(stand_in(ADA))
    run = engine.run([request()])
    assert isinstance(next(run), Started)
    next(run)
    engine.close()
    run.close()
    engine.close()


def test_an_engine_may_be_closed_while_another_thread_runs_it(stand_in, engine_at):
    def answer(asked, _):
        if asked.is_probe:
            return held(asked, ADA)
        return Said(events(chunk("{"), done=False).body, kind="text/event-stream", hangs=True)

    engine = engine_at(stand_in(answer))
    began = threading.Event()

    def run():
        for event in engine.run([request()]):
            if isinstance(event, Steps):
                began.set()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        assert began.wait(5)
        engine.close()
        with pytest.raises(BackendError, match="the model is closed; open it again"):
            running.result(5)


def test_an_engine_that_is_closed_runs_nothing(stand_in, engine_at):
    engine = engine_at(stand_in(ADA))
    engine.close()
    with pytest.raises(BackendError, match="the model is closed; open it again"):
        list(engine.run([request()]))
    with pytest.raises(BackendError, match="the model is closed; open it again"):
        engine.render(request())


def test_a_schema_that_cannot_be_used_stops_the_run_before_anything_is_sent(stand_in, engine_at):
    server = stand_in(ADA)
    bad = read_schema('{"type": "string", "minLength": 3, "maxLength": 1}')
    with pytest.raises(SchemaError):
        next(engine_at(server).run([request(schema=bad)]))
    assert server.questions == server.probes == []


# --- what is not valid ---


def test_an_answer_that_is_not_valid_is_asked_for_again_in_another_way(stand_in, engine_at):
    def answer(asked, n):
        return held(asked, '{"name": "Ada", "born": "then"}' if n == 0 else ADA)

    server = stand_in(answer)
    run = list(engine_at(server).run([request()]))
    assert run[-2].record == {"name": "Ada", "born": 1815}
    assert text_of(run) == ADA
    first, second = (asked.body for asked in server.questions)
    assert first["temperature"] == 0 < second["temperature"]
    assert first["seed"] != second["seed"]
    assert first["response_format"] == second["response_format"]


@pytest.mark.parametrize("n_thoughts", [0, 50])
def test_an_answer_without_a_word_takes_nothing_back(stand_in, engine_at, n_thoughts):
    replies = [events(chunk(end="stop")), stream(ADA)]
    if n_thoughts:
        replies.insert(0, stream("It was Ada."))

    def answer(asked, n):
        return held(asked, ADA) if asked.is_probe else replies[n]

    run = list(engine_at(stand_in(answer)).run([request(n_thoughts=n_thoughts)]))
    assert isinstance(run[-2], RowDone)
    assert not any(isinstance(event, StepsUndone) for event in run)


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ('{"name": "Ada", "born": "then"}', "'then' is not of type 'integer' at /born"),
        ('{"name": "Ada"', "Expecting"),
        ('{"name": "Ada", "born": 1, "born": 2}', "'born' is there twice"),
        ("Sure! Here you are, enjoy.", "Expecting value"),
        ("[" * 5000, ""),
    ],
)
def test_a_row_whose_answers_are_never_valid_fails_with_the_reason(
    stand_in, engine_at, wish, reason
):
    end = only_end(engine_at(stand_in(wish)))
    assert isinstance(end.error, RowError)
    assert reason in str(end.error)
    assert end.text == wish


def test_a_server_that_holds_nothing_is_named_once_and_the_run_goes_on(stand_in, engine_at):
    server = stand_in(lambda *_: stream(f"```json\n{ADA}\n```"))
    engine = engine_at(server)
    _, note, *_ = run = list(engine.run([request(), request(1)]))
    assert isinstance(note, Noted)
    assert "the server at http://127.0.0.1" in note.text
    assert "does not hold answers to a schema" in note.text
    assert [event.record["born"] for event in run if isinstance(event, RowDone)] == [1815, 1815]
    assert not any(isinstance(event, Noted) for event in engine.run([request()]))
    assert "response_format" not in server.questions[0].body


def test_each_way_is_tried_until_one_holds(stand_in, engine_at):
    def answer(asked, _):
        form = asked.body.get("response_format", {})
        if form.get("type") == "json_schema":
            return as_json({"error": {"message": "unknown type json_schema"}}, 500)
        return held(asked, ADA)

    server = stand_in(answer)
    assert isinstance(only_end(engine_at(server)), RowDone)
    assert server.questions[0].body["response_format"]["schema"]["required"] == ["name", "born"]
    assert len(server.probes) == 2


def test_log_probabilities_that_lose_characters_are_left_out(stand_in, engine_at):
    def answer(asked, _):
        reply = held(asked, '{"name": "Zoé", "born": 1}')
        return (
            Said(reply.body.replace("é".encode(), b""), kind=reply.kind)
            if ("logprobs" in asked.body)
            else reply
        )

    server = stand_in(answer)
    assert only_end(engine_at(server)).record["name"] == "Zoé"
    assert "logprobs" not in server.questions[0].body


def test_text_forms_are_checked(stand_in, engine_at):
    engine = engine_at(stand_in(lambda *_: stream("  praise \n")))
    assert only_end(engine, request(schema=Choices(("praise", "blame")))).text == "praise"
    assert only_end(engine, request(schema=Regex("pr[a-z]+"))).text == "praise"
    assert isinstance(only_end(engine, request(schema=Regex("[0-9]+"))).error, RowError)


def test_a_text_form_may_be_wrapped_in_json(stand_in, engine_at):
    def answer(asked, n):
        return held(asked, '{"answer": "blame"}' if n else '{"blame": 1}')

    server = stand_in(answer)
    run = list(engine_at(server).run([request(schema=Choices(("praise", "blame")))]))
    assert run[-2].record == run[-2].text == "blame"
    assert [type(event) for event in run].count(StepsUndone) == 1


def test_verbatim_values_are_looked_up_in_the_text(stand_in, engine_at):
    answers = ["made up", "Ada Love", "Ada"]

    def answer(asked, n):
        return held(asked, json.dumps({"name": answers[n]}))

    end = only_end(
        engine_at(stand_in(answer)),
        request(schema=read_schema("name: verbatim"), prompt="It was Ada Lovelace."),
    )
    assert end.record == {"name": "Ada"}
    assert end.evidence[0].start == 7
    other = engine_at(stand_in('{"name": "made up"}'))
    end = only_end(other, request(schema=read_schema("name: verbatim")))
    assert "'made up' at /name does not stand in the text" in str(end.error)


def test_thoughts_that_are_left_in_an_answer_are_taken_out(stand_in, engine_at):
    end = only_end(engine_at(stand_in(f"<think>It was Ada.</think>\n\n{ADA}")))
    assert (end.text, end.thoughts) == (ADA, "It was Ada.")


@pytest.mark.parametrize(
    ("reply", "text", "thoughts"),
    [
        (f"It was {{Ada}}.\n</think>\n\n{ADA}", ADA, "It was {Ada}."),
        ('{"name": "</think>", "born": 1}', '{"name": "</think>", "born": 1}', ""),
    ],
)
def test_thoughts_that_the_layout_has_opened_are_taken_out(
    stand_in, engine_at, reply, text, thoughts
):
    end = only_end(engine_at(stand_in(reply)))
    assert (end.text, end.thoughts) == (text, thoughts)


def test_a_text_may_speak_of_the_tags_of_thoughts(stand_in, engine_at):
    reply = "Models write <think>…</think> first."
    assert only_end(engine_at(stand_in(reply)), request(schema=None)).text == reply


def test_a_model_is_asked_to_think_in_roles_that_alternate(stand_in, engine_at):
    def answer(asked, n):
        return stream("It was Ada.") if not asked.is_probe and n == 0 else held(asked, ADA)

    server = stand_in(answer)
    end = only_end(engine_at(server), request(n_thoughts=50))
    assert (end.text, end.thoughts) == (ADA, "It was Ada.")
    first, second = (asked.body["messages"] for asked in server.questions)
    assert [message["role"] for message in first] == ["system", "user"]
    assert first[-1]["content"].startswith("Who?")
    assert "step by step" in first[-1]["content"]
    assert [message["role"] for message in second] == ["system", "user", "assistant", "user"]
    assert second[:2] == first


def test_thoughts_that_are_told_apart_are_kept(stand_in, engine_at):
    def answer(asked, _):
        if asked.is_probe:
            return held(asked, ADA)
        return events(chunk(reasoning_content="Ada, surely."), chunk(ADA), chunk(end="stop"))

    assert only_end(engine_at(stand_in(answer))).thoughts == "Ada, surely."


# --- answers without an end ---


def test_an_answer_that_is_cut_at_max_tokens_is_never_valid(stand_in, engine_at):
    def answer(asked, _):
        return held(asked, ADA) if asked.is_probe else stream(ADA, end="length")

    end = only_end(engine_at(stand_in(answer)), request(max_tokens=9))
    assert isinstance(end.error, BudgetError)
    assert "max_tokens 9" in str(end.error)
    free = only_end(engine_at(stand_in(answer)), request(schema=None))
    assert (free.text, free.finish_reason) == (ADA, "length")


@pytest.mark.parametrize("done", [True, False])
def test_an_answer_that_is_cut_off_is_asked_for_again(stand_in, engine_at, done):
    def answer(asked, n):
        if asked.is_probe or n == 2:
            return held(asked, ADA)
        return events(chunk('{"name": "A'), done=done)

    run = list(engine_at(stand_in(answer)).run([request()]))
    assert run[-2].record == {"name": "Ada", "born": 1815}
    assert text_of(run) == ADA


@pytest.mark.parametrize("done", [True, False])
def test_json_that_is_whole_needs_no_end_and_a_text_does(stand_in, engine_at, done):
    def answer(asked, _):
        return held(asked, ADA) if asked.is_probe else events(chunk(ADA), done=done)

    server = stand_in(answer)
    assert only_end(engine_at(server)).text == ADA
    assert len(server.questions) == 1
    end = only_end(engine_at(server), request(schema=None))
    assert "broke in the middle" in str(end.error)


def test_an_event_without_data_is_passed_over(stand_in, engine_at):
    def answer(asked, _):
        reply = held(asked, ADA)
        return Said(reply.body.replace(b"data: [DONE]", b"data: \n\ndata:"), kind=reply.kind)

    assert only_end(engine_at(stand_in(answer))).text == ADA


@pytest.mark.parametrize("body", [b"", b'data: {"choi', b"data: [1, 2]\n\n", b"data: null\n\n"])
def test_a_reply_that_cannot_be_read_fails_the_row_in_the_end(stand_in, engine_at, body):
    def answer(asked, _):
        return held(asked, ADA) if asked.is_probe else Said(body, kind="text/event-stream")

    end = only_end(engine_at(stand_in(answer)))
    assert isinstance(end.error, ServerError)


def test_an_error_in_the_middle_of_an_answer_is_one(stand_in, engine_at):
    def answer(asked, _):
        if asked.is_probe:
            return held(asked, ADA)
        return events(chunk('{"na'), {"error": {"message": "out of memory"}})

    end = only_end(engine_at(stand_in(answer)))
    assert "the server broke off: out of memory" in str(end.error)
    assert end.text == '{"na'


def test_a_model_that_refuses_is_heard(stand_in, engine_at):
    def answer(asked, _):
        if asked.is_probe:
            return held(asked, ADA)
        return events(chunk(refusal="I will not."), chunk(end="stop"))

    assert "refuses to answer: I will not." in str(only_end(engine_at(stand_in(answer))).error)


def test_a_content_filter_is_no_answer(stand_in, engine_at):
    def answer(asked, _):
        return held(asked, ADA) if asked.is_probe else stream(ADA, end="content_filter")

    assert "content filter" in str(only_end(engine_at(stand_in(answer))).error)


def test_a_reply_without_an_end_in_sight_is_not_read_on(stand_in, engine_at, monkeypatch):
    monkeypatch.setattr(client_module, "MAX_BYTES", 100_000)

    def answer(asked, _):
        if asked.is_probe:
            return held(asked, ADA)
        return Said(b"data: " + b"x" * 200_000, kind="text/event-stream")

    assert "the reply is longer than" in str(only_end(engine_at(stand_in(answer))).error)


def test_a_connection_that_breaks_is_made_again(stand_in, engine_at):
    def answer(asked, n):
        if asked.is_probe or n == 1:
            return held(asked, ADA)
        return Said(b'data: {"choices"', kind="text/event-stream", headers={"content-length": "99"})

    server = stand_in(answer)
    assert isinstance(only_end(engine_at(server)), RowDone)
    server = stand_in(
        lambda *_: Said(b"", kind="text/event-stream", headers={"content-length": "9"})
    )
    assert "the connection to the server broke" in str(only_end(engine_at(server)).error)


# --- a server that is busy, broken or gone ---


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_is_busy_is_asked_again(stand_in, engine_at, status):
    def answer(asked, n):
        if asked.is_probe or n == 2:
            return held(asked, ADA)
        return as_json({"error": "not now"}, status, retry_after="0.01")

    server = stand_in(answer)
    assert isinstance(only_end(engine_at(server)), RowDone)
    assert len(server.questions) == 3


@pytest.mark.parametrize("when", ["30", "9" * 400, formatdate(time.time() + 1000, usegmt=True)])
def test_a_server_is_left_alone_as_long_as_it_asks_and_we_have_patience(
    stand_in, engine_at, when, monkeypatch
):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr("steer_engine.remote.rows.asyncio.sleep", sleep)

    def answer(asked, n):
        if asked.is_probe or n == 1:
            return held(asked, ADA)
        return as_json({"error": "busy"}, 429, retry_after=when)

    assert isinstance(only_end(engine_at(stand_in(answer))), RowDone)
    assert waits == [0.02]


def test_a_server_that_stays_broken_fails_the_row_with_its_words(stand_in, engine_at):
    def answer(asked, _):
        return held(asked, ADA) if asked.is_probe else as_json({"detail": "no memory"}, 500)

    server = stand_in(answer)
    end = only_end(engine_at(server))
    assert isinstance(end.error, ServerError)
    assert "the server answers 500: no memory" in str(end.error)
    assert len(server.questions) == 7


def test_a_server_that_is_broken_from_the_start_is_not_said_to_hold_nothing(stand_in, engine_at):
    server = stand_in(lambda *_: as_json({"detail": "no memory"}, 500))
    run = list(engine_at(server).run([request()]))
    assert "no memory" in str(run[-2].error)
    assert not any(isinstance(event, Noted) for event in run)


def test_a_server_that_hangs_is_given_up(stand_in, engine_at):
    def answer(asked, _):
        if asked.is_probe:
            return held(asked, ADA)
        reply = events(chunk('{"na'), done=False)
        return Said(reply.body, kind=reply.kind, hangs=True)

    server = stand_in(answer)
    end = only_end(engine_at(server, "?timeout=0.15"))
    assert "the server said nothing for 0.15 seconds" in str(end.error)
    assert len(server.questions) == 2


@pytest.mark.parametrize("body", [b"", b": hello\n\n"])
def test_a_server_that_says_nothing_from_the_start_is_lost_to_all_rows_at_once(
    stand_in, engine_at, body
):
    server = stand_in(lambda asked, _: Said(body, kind="text/event-stream", hangs=True))
    engine, ends = engine_at(server, "?timeout=0.3&parallel=4"), []
    with pytest.raises(ServerLostError, match=r"nothing for 0\.3 seconds; \?timeout=SECONDS"):
        ends.extend(e for e in engine.run(map(request, count())) if isinstance(e, RowFailed))
    assert sorted(end.row for end in ends) == [0, 1, 2, 3]
    assert len(server.probes) == 4
    assert engine._server._trouble.__traceback__ is None  # which would hold the rows


def test_a_server_may_be_slow_at_first(stand_in, engine_at):
    def answer(asked, n):
        if asked.is_probe and n < 2:
            time.sleep(0.5)
        return held(asked, ADA)

    run = engine_at(stand_in(answer), "?timeout=0.3&parallel=4").run(map(request, range(6)))
    assert sum(isinstance(event, RowDone) for event in run) == 6


def test_a_slow_answer_is_waited_for(stand_in, engine_at):
    def answer(asked, _):
        time.sleep(0.1)
        return held(asked, ADA)

    assert isinstance(only_end(engine_at(stand_in(answer), "?timeout=5")), RowDone)


def test_once_a_server_is_lost_the_rows_at_work_fail_and_the_run_ends(stand_in, engine_at):
    server = stand_in(ADA)
    engine = engine_at(server, "?parallel=2")
    assert isinstance(only_end(engine), RowDone)
    server.close()
    ends = []
    with pytest.raises(ServerLostError, match=r"nothing answers at http://127\.0\.0\.1"):
        ends.extend(
            e for e in engine.run(map(request, itertools.count())) if isinstance(e, RowFailed)
        )
    assert sorted(end.row for end in ends) == [0, 1]
    assert all(isinstance(end.error, ServerLostError) for end in ends)


def test_a_quota_that_is_used_up_is_not_asked_about_again(stand_in, engine_at):
    def answer(asked, _):
        if asked.is_probe:
            return held(asked, ADA)
        error = {"message": "You exceeded your quota", "code": "insufficient_quota"}
        return as_json({"error": error}, 429)

    server = stand_in(answer)
    end = only_end(engine_at(server))
    assert isinstance(end.error, ServerLostError)
    assert len(server.questions) == 1


def test_a_redirect_is_not_followed(stand_in, engine_at):
    other = stand_in(ADA)

    def answer(asked, _):
        if asked.is_probe:
            return held(asked, ADA)
        return Said(b"", 307, headers={"location": f"{other.url}/v1/chat/completions"})

    end = only_end(engine_at(stand_in(answer)))
    assert "redirects to 127.0.0.1, which is not followed" in str(end.error)
    assert other.asked == []


def test_closing_the_events_ends_the_connections_at_once(stand_in, engine_at):
    def answer(asked, _):
        if asked.is_probe:
            return held(asked, ADA)
        reply = events(chunk('{"name": "A'), done=False)
        return Said(reply.body, kind=reply.kind, hangs=True)

    server = stand_in(answer)
    engine = engine_at(server)
    run = engine.run([request()])
    next(event for event in run if isinstance(event, Steps))
    run.close()
    assert server.gone.wait(5)
    assert isinstance(only_end(engine_at(stand_in(ADA))), RowDone)


def test_an_interrupt_while_a_run_waits_ends_the_connections(stand_in, engine_at, monkeypatch):
    def answer(asked, _):
        if asked.is_probe:
            return held(asked, ADA)
        return Said(events(chunk("{"), done=False).body, kind="text/event-stream", hangs=True)

    server = stand_in(answer)
    run = engine_at(server).run([request()])
    next(event for event in run if isinstance(event, Steps))
    with pytest.raises(KeyboardInterrupt):
        run.throw(KeyboardInterrupt)
    assert server.gone.wait(5)


@pytest.fixture
def at_once(engine_at, stand_in, monkeypatch):
    """An engine whose rows end before they are read, and what waits until so many have ended."""
    engine, ended = engine_at(stand_in(ADA), "?parallel=8"), threading.Semaphore(0)

    class Row:
        def __init__(self, asked):
            self.row = asked.row

        async def events(self):
            yield RowDone(self.row, None, "", "stop", 0, 0.0)
            ended.release()  # the event is in the queue

    def wait(n_rows):
        assert all(ended.acquire(timeout=5) for _ in range(n_rows))

    monkeypatch.setattr(engine, "_row", Row)
    return engine, wait


def test_rows_that_ended_before_an_interrupt_are_told(at_once):
    """Up to `n_parallel` rows that were paid for were lost, and asked again by the next run."""
    engine, wait = at_once
    run = engine.run(map(request, range(8)))
    told = [next(run), next(run)]
    wait(8)
    with pytest.raises(KeyboardInterrupt):
        told.extend(chain([run.throw(KeyboardInterrupt())], run))
    assert sorted(event.row for event in told[1:]) == [*range(8)]


def test_rows_that_ended_before_an_error_of_the_table_are_told(at_once):
    engine, wait = at_once

    def table():
        yield from map(request, range(3))
        wait(3)
        raise ZeroDivisionError("row 3")

    told = []
    with pytest.raises(ZeroDivisionError, match="row 3"):
        told.extend(engine.run(table()))
    assert sorted(event.row for event in told[1:]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "gopher://me:sk-1@127.0.0.1:1"),
        ("ALL_PROXY", "http://me:sk-1:/@127.0.0.1:1"),
        ("SSL_CERT_FILE", "/nowhere.pem"),
    ],
)
def test_an_environment_that_cannot_be_used_is_told_in_a_line(monkeypatch, engine_at, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ModelError, match="the proxy or certificates in the environment") as caught:
        engine_at("https://192.0.2.7:1")
    assert "sk-1" not in str(caught.value)


# --- what servers refuse ---


def refusing(*names, **changes):
    """A server that takes no request with one of `names`, as OpenAI's says it."""

    def answer(asked, _):
        for name in names:
            if name in asked.body:
                words = f"Unsupported parameter: '{name}' is not supported; {changes.get(name, '')}"
                return as_json({"error": {"message": words, "param": name}}, 400)
        return held(asked, ADA)

    return answer


def test_parameters_that_are_refused_are_left_out(stand_in, engine_at):
    names = ("max_tokens", "temperature", "seed", "logprobs", "stream_options")
    changes = {"max_tokens": "use 'max_completion_tokens' instead."}
    server = stand_in(refusing(*names, **changes))
    run = list(engine_at(server).run([request(max_tokens=77)]))
    assert isinstance(run[-2], RowDone)
    (asked,) = server.questions
    assert asked.body["max_completion_tokens"] == 77
    assert not asked.body.keys() & {*names, "top_logprobs"}
    (note,) = (event.text for event in run if isinstance(event, Noted))
    assert "takes no temperature and no seed" in note


def test_narrowing_that_is_refused_is_left_out_and_told_once(stand_in, engine_at):
    server = stand_in(refusing("min_p"))
    sampling = Sampling(temperature=0.5, top_p=0.9, min_p=0.1)
    run = list(engine_at(server).run([request(row, sampling=sampling) for row in range(3)]))
    assert sum(isinstance(event, RowDone) for event in run) == 3
    (note,) = (event.text for event in run if isinstance(event, Noted))
    assert "takes no min_p; it samples in its own way" in note
    assert server.questions[-1].body["top_p"] == 0.9


@pytest.mark.parametrize(("own", "temperatures"), [(0.0, [0, 0.4, 0.8]), (1.2, [1.2, 1.2, 1.2])])
def test_an_answer_is_not_asked_for_hotter_than_servers_take(
    stand_in, engine_at, own, temperatures
):
    server = stand_in("{}")
    end = only_end(engine_at(server), request(sampling=Sampling(temperature=own)))
    assert "answers in turn were not valid" in str(end.error)
    assert [asked.body["temperature"] for asked in server.questions] == temperatures


def test_a_request_that_is_forbidden_costs_its_row_alone(stand_in, engine_at):
    def answer(asked, _):
        if "flag" in asked.body["messages"][-1]["content"]:
            return as_json({"error": {"message": "your input was flagged"}}, 403)
        return held(asked, ADA)

    requests = [request(), request(1, prompt="flag this"), request(2)]
    run = list(engine_at(stand_in(answer), "?parallel=1").run(requests))
    done, failed, last = (event for event in run if isinstance(event, RowDone | RowFailed))
    assert done.text == last.text == ADA
    assert type(failed.error) is ServerError
    assert "STEERMAGIC_API_KEY" not in str(failed.error)


def test_a_system_message_that_is_refused_opens_the_users(stand_in, engine_at):
    def answer(asked, _):
        if any(message["role"] == "system" for message in asked.body["messages"]):
            return as_json({"message": "System role not supported", "object": "error"}, 400)
        return held(asked, ADA)

    server = stand_in(answer)
    assert isinstance(only_end(engine_at(server)), RowDone)
    (message,) = server.questions[0].body["messages"]
    assert message["content"].startswith("Answer with one JSON object")
    assert message["content"].endswith("Who?")


def test_a_schema_that_is_refused_is_said_in_fewer_words_and_then_not_at_all(stand_in, engine_at):
    def answer(asked, _):
        form = json.dumps(asked.body.get("response_format", {}))
        if "minLength" in form or ("Ada" in form and "strict" in form):
            return as_json({"error": {"message": "Invalid schema for response_format"}}, 400)
        return held(asked, '{"name": "Ada"}')

    server = stand_in(answer)
    engine = engine_at(server)
    assert isinstance(only_end(engine, request(schema=read_schema("name: /A.+/"))), RowDone)
    schema = read_schema(
        {"type": "object", "properties": {"name": {"type": "string", "minLength": 2}}}
    )
    run = list(engine.run([request(schema=schema)]))
    assert isinstance(run[-2], RowDone)
    assert not any(isinstance(event, Noted) for event in run)
    sent = server.questions[-1].body["response_format"]["json_schema"]["schema"]
    assert sent["properties"]["name"] == {"type": ["string", "null"]}
    schema = read_schema({"properties": {"name": {"enum": ["Ada"]}}})
    run = list(engine.run([request(schema=schema)]))
    assert isinstance(run[-2], RowDone)
    assert ["refuses this schema" in e.text for e in run if isinstance(e, Noted)] == [True]
    assert "response_format" not in server.questions[-1].body


def test_rows_that_are_refused_side_by_side_give_up_once(stand_in, engine_at):
    def answer(asked, _):
        if not asked.is_probe and "response_format" in asked.body:
            time.sleep(0.05)
            return as_json({"error": {"message": "the grammar is too large"}}, 400)
        return held(asked, ADA)

    run = list(engine_at(stand_in(answer)).run([request(row) for row in range(4)]))
    assert sum(isinstance(event, RowDone) for event in run) == 4
    assert sum(isinstance(event, Noted) for event in run) == 1


def test_another_fault_of_a_request_is_not_laid_on_its_schema(stand_in, engine_at):
    def answer(asked, _):
        if asked.is_probe:
            return held(asked, ADA)
        return as_json({"error": {"message": "max_tokens is above 5"}}, 400)

    server = stand_in(answer)
    assert "max_tokens is above 5" in str(only_end(engine_at(server)).error)
    assert len(server.questions) == 1


def test_sampling_is_passed_on(stand_in, engine_at):
    server = stand_in(ADA)
    sampling = Sampling(temperature=0.7, top_p=0.9, min_p=0.1, seed=3)
    engine = engine_at(server)
    for row in (0, 0, 1):
        only_end(engine, request(row, sampling=sampling))
    first, again, other = (asked.body for asked in server.questions)
    assert (first["temperature"], first["top_p"], first["min_p"]) == (0.7, 0.9, 0.1)
    assert first["seed"] == again["seed"] != other["seed"]


def test_events_can_be_pickled(stand_in, engine_at):
    server = stand_in(ADA)
    engine = engine_at(server)
    seen = [*engine.run([request(schema=read_schema("name: str")), request(1)])]
    server.close()
    seen += engine.run([request()])
    for event in seen:
        copy = pickle.loads(pickle.dumps(event))  # noqa: S301 - our own bytes
        assert repr(copy) == repr(event)


def test_explain_says_what_is_left_to_a_server(stand_in, engine_at):
    found = engine_at(stand_in(ADA)).explain(PERSON)
    assert {clause.treatment for clause in found.clauses} == {"checked"}
    assert found.shortest == '{"name": "", "born": 0}'
    told = engine_at(stand_in(ADA)).explain(read_schema({"type": "string", "format": "money"}))
    assert [clause.treatment for clause in told.clauses] == ["checked", "ignored"]
    bad = engine_at(stand_in(ADA)).explain(read_schema({"type": "string", "enum": [1]}))
    assert bad.is_refused
