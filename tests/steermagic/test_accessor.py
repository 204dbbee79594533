"""`df.steer` tells where a frame came from."""

from __future__ import annotations

import re

import pandas as pd
import pytest

import steermagic
from steer_engine import read_schema
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.schemas import FoundSchema

DOG = read_schema("name: str, age: int")


@pytest.fixture
def frame(wishing) -> pd.DataFrame:
    session = wishing({"name": "Rex", "age": 3})
    return session.answer(Job(("Invent a dog",), FoundSchema(DOG), SteerOptions()))


def test_a_frame_knows_its_run(frame):
    assert frame.steer.schema == DOG
    assert frame.steer.model == "fake"
    assert frame.steer.raw == ['{"name": "Rex", "age": 3}']
    assert frame.steer.errors == {}
    assert "fake" in repr(frame.steer.view())


def test_tokens_are_a_frame(frame):
    tokens = frame.steer.tokens
    assert "".join(tokens["text"]) == frame.steer.raw[0]
    assert set(tokens["origin"]) <= {"forced", "chosen", "narrowed"}
    chosen = tokens[tokens["origin"] == "chosen"]
    assert chosen["probability"].between(0, 1).all()
    assert tokens.loc[tokens["text"] == "3", "pointer"].tolist() == ["/age"]


def test_what_is_made_from_a_frame_knows_too(frame):
    assert frame.head(1)[["age"]].steer.model == "fake"


def test_other_frames_have_no_run(frame):
    with pytest.raises(AttributeError, match="does not come from one of the last"):
        _ = pd.DataFrame().steer


def test_a_frame_that_lost_its_mark_tells_what_may_have_taken_it(frame):
    with pytest.raises(AttributeError, match=r"dropped its mark \(in merge or join\): use .steer"):
        _ = frame.merge(pd.DataFrame({"age": [3]})).steer


def test_the_reviewed_frame_knows_its_run_too(frame):
    reviewed = frame.steer.reviewed
    assert reviewed.steer.model == "fake"
    pd.testing.assert_frame_equal(reviewed.steer.confidence, frame.steer.confidence)


def test_a_frame_of_a_run_that_is_not_known_any_more_tells_how_to_bring_it_back(frame, wishing):
    run_id = frame.attrs["steermagic_run"]
    wishing({"name": "Rex", "age": 3}).answer(Job(("?",), FoundSchema(DOG), SteerOptions()))
    with pytest.raises(AttributeError, match=f"; %steer runs show {run_id[:8]} brings its run"):
        _ = frame.steer


def test_frames_have_it_once_the_extension_was_loaded(shell, monkeypatch):
    monkeypatch.delattr(pd.DataFrame, "steer", raising=False)
    steermagic.load_ipython_extension(shell)
    steermagic.unload_ipython_extension(shell)
    frame = pd.DataFrame()
    frame.attrs["steermagic_run"] = "0123456789abcdef"
    with pytest.raises(AttributeError, match="%steer runs show 01234567 brings"):
        _ = frame.steer


TEXTS = ["Ann <b>met</b> Bob & Bob", "Zoe", ""]


def copied_frame(wishing, wish, notation, *, texts=TEXTS):
    schema = read_schema(notation)
    table = pd.DataFrame({"text": texts})
    found, options = FoundSchema(schema), SteerOptions(over="t")
    job = job_over(table, "Who? {{ text }}", found, options, namespace={})
    return wishing(wish).answer(job)


def test_evidence_tells_where_a_value_stands_in_the_text(wishing):
    frame = copied_frame(
        wishing, {"who": "Bob", "also": ["Bob", "Ann"]}, "who: verbatim, also: list[verbatim]"
    )
    evidence = frame.steer.evidence
    assert [*evidence.columns] == ["row", "column", "text", "start", "end", "source"]
    first = evidence[evidence["row"] == 0]
    assert first[["column", "text", "start", "end"]].to_numpy().tolist() == [
        ["who", "Bob", 15, 18],
        ["also", "Bob", 15, 18],
        ["also", "Ann", 0, 3],
    ]
    assert set(evidence["source"]) == {"text"}
    for found in evidence.itertuples():
        assert frame["text"][found.row][found.start : found.end] == found.text


def test_an_expression_that_fails_after_the_run_takes_no_evidence_away(wishing):
    """It was evaluated again for the view, and the cell failed although every row was finished."""
    files = iter(["Ann", "Bob met Ann"])
    found, options = FoundSchema(read_schema("who: verbatim")), SteerOptions(over="t")
    names = {"read": lambda _: next(files)}
    job = job_over(["a.txt", "b.txt"], "{{ read(text) }}", found, options, namespace=names)
    evidence = wishing({"who": "Ann"}).answer(job).steer.evidence
    assert evidence[["row", "text", "start"]].to_numpy().tolist() == [[0, "Ann", 0], [1, "Ann", 8]]


def test_rows_of_a_list_have_their_own_evidence(wishing):
    schema = read_schema({"type": "array", "items": read_schema("who: verbatim").document})
    job = Job(("Ann and Bob",), FoundSchema(schema), SteerOptions())
    frame = wishing([{"who": "Ann"}, {"who": "Bob"}]).answer(job)
    assert frame.steer.evidence[["row", "column", "text", "source"]].to_numpy().tolist() == [
        [0, "who", "Ann", "prompt"],
        [1, "who", "Bob", "prompt"],
    ]


def test_without_verbatim_fields_there_is_no_evidence(frame):
    assert frame.steer.evidence.empty


def test_the_view_marks_what_was_copied_in_the_text(wishing):
    frame = copied_frame(wishing, {"who": "Bob"}, "who: verbatim", texts=TEXTS[:1])
    html = frame.steer.view()._repr_html_()
    before, _, after = html.partition("<mark ")
    assert before.endswith("Ann &lt;b&gt;met&lt;/b&gt; ")
    assert after.startswith('style="')
    assert re.search(r">Bob</mark><span [^>]*> \[who\]</span> &amp; Bob", after)
