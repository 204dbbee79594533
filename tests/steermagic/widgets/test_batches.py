"""What a page is told of a run: in batches, all of it in the end, and nothing that it has twice."""

from __future__ import annotations

import json

import pytest

from steer_engine import (
    Confidence,
    Evidence,
    PromptError,
    Regex,
    Step,
    Steps,
    StepsUndone,
    read_schema,
    rows_of,
)
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.runs import Row
from steermagic.schemas import FoundSchema
from steermagic.widgets.batches import LiveView, head_of
from steermagic.widgets.live_rows import GrowingList

DOG = read_schema("name: str, age: int")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Page:
    """What a page would have that reads all messages from `first` on."""

    def __init__(self, job: Job, *, first: int = 0) -> None:
        self.clock, self.messages, self.first = Clock(), [], first
        self.view = LiveView(job, self.messages.append, self.clock)

    def after(self, seconds: float, *events) -> Page:
        """The events happen, the last of them so much later."""
        for event in events:
            self.clock.now += seconds if event is events[-1] else 0.0
            if isinstance(event, Steps | StepsUndone):
                self.view.take(event)
            else:
                self.view.end(event)
        return self

    def tokens(self, row: int = 0) -> list[str]:
        """The texts of a row's tokens; None stands for one that was missed."""
        texts = []
        for message in self.messages[self.first :]:
            for entry in message["rows"]:
                if entry["row"] != row:
                    continue
                if entry["whole"]:
                    texts = []
                texts = texts[: entry["cut"]] if entry["cut"] is not None else texts
                texts += [None] * (entry["at"] - len(texts))
                del texts[entry["at"] :]
                texts += [token and token[0] for token in entry["tokens"]]
        return texts

    def lines(self) -> list[list[str]]:
        rows = {}
        for message in self.messages[self.first :]:
            for entry in message["ended"]:
                rows[entry["row"]] = rows.get(entry["row"], [])[: entry["from"]] + entry["lines"]
        return [
            [cell[0] for cell in line["cells"]] if "cells" in line else line["error"]
            for _, own in sorted(rows.items())
            for line in own
        ]


def job(schema=DOG, **options) -> Job:
    return Job(("Invent",), FoundSchema(schema), SteerOptions(**options))


def over(n_rows: int, **options) -> Job:
    data = [{"text": f"t{i}"} for i in range(n_rows)]
    found = FoundSchema(DOG)
    return job_over(data, "{{ text }}", found, SteerOptions(**options), namespace={})


def gained(text: str, row: int = 0, pointer: str = "", origin="chosen") -> Steps:
    """One token a character."""
    return Steps(row, tuple(Step(0, c.encode(), origin, pointer, logprob=-0.1) for c in text))


def done(number: int, record, **fields) -> Row:
    return Row(number, record, json.dumps(record), (), is_kept=True, is_finished=True, **fields)


def test_tokens_come_in_batches():
    page = Page(job())
    for _ in range(200):
        page.after(0.001, gained("ab"))
    assert len(page.messages) == 2  # in 0.2 seconds
    page.view.flush()
    assert page.tokens() == ["a", "b"] * 200


def test_a_batch_has_only_what_is_new():
    page = Page(job()).after(1, gained("abcdefgh")).after(1, gained("i"))
    assert page.messages[-1]["rows"] == [
        {"row": 0, "at": 8, "cut": None, "whole": False, "tokens": [["i", "chosen", "", 0, "90%"]]}
    ]


def test_what_a_page_has_missed_comes_again_in_no_more_than_three_times_the_run():
    page = Page(job(), first=3)
    for _ in range(1000):
        page.after(0.1, gained("x"))
    assert page.tokens() == ["x"] * 1000
    sent = sum(len(entry["tokens"]) for message in page.messages for entry in message["rows"])
    assert sent <= 3000


def test_a_row_that_goes_back_by_nothing_stays():
    page = Page(job()).after(1, StepsUndone(0, 0), gained("abcdef"), StepsUndone(0, 0))
    assert page.tokens() == [*"abcdef"]
    assert page.messages[-1]["shares"] == {"chosen": 100.0}


def test_a_row_that_goes_back_is_cut():
    page = Page(job()).after(1, gained("abcdef")).after(0.01, StepsUndone(0, 4), gained("xy"))
    page.after(1, StepsUndone(0, 1), gained("z"))
    assert page.messages[-1]["rows"][0]["cut"] == 2
    assert page.tokens() == ["a", "b", "x", "z"]
    assert page.messages[-1]["summary"].startswith("4 tokens")


def test_a_row_that_goes_back_before_it_is_seen_is_not_cut():
    page = Page(job()).after(0.01, gained("abc"), StepsUndone(0, 2)).after(1, gained("z"))
    assert [entry["cut"] for entry in page.messages[-1]["rows"]] == [None]
    assert page.tokens() == ["a", "z"]


def test_tokens_tell_how_they_came_about():
    step = Step(0, b"x", "narrowed", "/a", logprob=-0.7, wanted=b"\x1b[31m", wanted_logprob=-1.0)
    page = Page(job()).after(1, Steps(0, (step, Step(0, b"\xe2", "forced", ""))))
    assert page.messages[0]["rows"][0]["tokens"] == [
        ["x", "narrowed", "/a", 0, "50%", "\\x1b[31m", "37%"],
        0,
    ]
    assert page.messages[0]["shares"] == {"forced": 50.0, "narrowed": 50.0}


def test_the_header_tells_how_fast_it_goes():
    page = Page(job())
    for _ in range(100):
        page.after(0.1, gained("ab"))
    assert page.messages[-1]["summary"] == "200 tokens · 0% forced · 20 tokens/s"


def test_rows_of_a_table_come_when_they_have_ended():
    page = Page(over(3))
    page.view.progress(0, 0)
    page.after(1, gained("abc"), done(0, {"name": "Rex", "age": 3}))
    page.after(1, Row(1, None, "", (), is_kept=False, error=PromptError("bad \x1b[1m")))
    page.view.progress(2, 1)
    page.after(1, Row(2, None, "", (), is_kept=False))
    assert page.lines() == [["Rex", "3"], "bad \\x1b[1m", "stopped"]
    assert page.messages[-1]["summary"].startswith("2/3")
    assert "1 failed" in page.messages[-1]["summary"]
    assert all(message["rows"] == [] for message in page.messages)
    assert [line["label"] for line in page.messages[0]["ended"][0]["lines"]] == ["0"]


def test_a_long_table_comes_again_only_while_that_is_no_large_message():
    page, name = Page(over(10_000)), "Rex" * 40
    for number in range(10_000):
        page.after(0.01, done(number, {"name": name, "age": 3}))
    page.view.flush()
    sizes = [len(json.dumps(message)) for message in page.messages]
    assert 200_000 < max(sizes) < 1_000_000
    assert page.lines() == [[name, "3"]] * 10_000


def test_tokens_of_a_tables_rows_come_if_they_are_asked_for():
    page = Page(over(2, view="live")).after(1, gained("ab", 1), gained("c", 0))
    page.after(1, done(1, {"name": "Rex", "age": 3}), gained("d", 0))
    assert (page.tokens(0), page.tokens(1)) == (["c", "d"], ["a", "b"])


def test_beyond_a_number_of_tokens_they_are_counted_only():
    page = Page(over(3, view="live"))
    page.after(1, gained("x" * 20_000, 0)).after(1, gained("y", 1), done(1, {"name": "", "age": 1}))
    page.after(1, gained("z", 0))
    assert (len(page.tokens(0)), page.tokens(1)) == (20_001, [])
    assert page.messages[-1]["summary"].startswith("0/3 · 20002 tokens")


def test_items_come_while_their_list_is_written():
    page = Page(job(rows_of(DOG)))
    page.after(1, gained('[{"name": "Rex", "age": 3}, {"na', pointer="/0"))
    assert page.lines() == [["Rex", "3"]]
    page.after(1, gained('me": "Fido", "age": 4}', pointer="/1"))
    assert page.lines() == [["Rex", "3"]]  # nobody knows that it is complete
    page.after(1, gained("]"))
    assert page.lines() == [["Rex", "3"], ["Fido", "4"]]
    page.after(1, done(0, [{"name": "Rex", "age": 3}]))
    assert page.lines() == [["Rex", "3"]]


def test_items_that_are_taken_back_are_read_again():
    page = Page(job(rows_of(DOG))).after(1, gained('[{"name": "Rex"}, '))
    page.after(1, StepsUndone(0, 17), gained('{"name": "Fido"}, '))
    assert page.lines() == [["Fido", ""]]


@pytest.mark.parametrize(
    ("text", "items"),
    [("", []), ("[", []), ("[1", []), ("[1,", [1]), ("[ 1 , 23]", [1, 23]), ("[]", []), ("{", [])],
)
def test_a_list_is_read_as_far_as_it_is_certain(text, items):
    growing = GrowingList()
    for end in range(len(text) + 1):
        growing.read(text[:end].encode())
    assert growing.found == items


@pytest.mark.parametrize("text", ["[" * 5000, f"[{'1' * 5000},"])
def test_what_cannot_be_read_is_left_to_the_run(text):
    growing = GrowingList()
    growing.read(text.encode())
    assert growing.found == []


def test_a_row_tells_what_was_copied_and_what_else_could_have_been():
    found = FoundSchema(read_schema("name: verbatim, ok: bool"))
    data = [{"text": "by Ann"}]
    page = Page(job_over(data, "{{ text }}", found, SteerOptions(), namespace={}))
    row = done(
        0,
        {"name": "Ann", "ok": True},
        evidence=(Evidence("/name", 0, 3, 6),),
        confidence=(Confidence("/ok", 0.8, 0.8, ((True, 0.8), (False, 0.2))),),
    )
    [entry] = page.after(1, row).messages[0]["ended"]
    assert entry["copied"] == [
        {
            "name": "text",
            "parts": [["by ", [], [], []], ["Ann", ["name"], ["name"], ["0/name"]]],
        }
    ]
    assert entry["lines"][0]["cells"] == [
        ["Ann", "0/name", ()],
        ["true", "0/ok", (("true", "80%"), ("false", "20%"))],
    ]


def test_all_messages_are_json():
    page = Page(job()).after(1, gained("a"), done(0, {"name": "\ud800", "age": 10**30}))
    assert json.loads(json.dumps(page.messages))


def test_the_head_names_columns_and_what_there_will_be():
    head = head_of(job(), "tiny\x1b[0m")
    assert (head["model"], head["columns"]) == ("tiny\\x1b[0m", ["name", "age"])
    assert (head["has_rows"], head["has_tokens"]) == (False, True)
    assert (head_of(over(3), "m")["has_rows"], head_of(over(3), "m")["has_tokens"]) == (True, False)
    assert head_of(over(3, view="live"), "m")["has_tokens"]
    form = Job(("x",), FoundSchema(DOG, form=Regex("a+")), SteerOptions(regex="a+"))
    assert head_of(form, "m")["columns"] == ["answer"]
