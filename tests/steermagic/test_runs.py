"""What a run says of its rows: in which column a verbatim value stands."""

from __future__ import annotations

import pandas as pd
import pytest

from steer_engine import Evidence, JsonValue, RowDone, Step, read_schema
from steermagic.job import job_over
from steermagic.options import SteerOptions
from steermagic.runs import Row, Run, copied_from, ended_row, found_evidence, result_of
from steermagic.schemas import FoundSchema

WORD: JsonValue = {"type": "string", "x-steer": {"verbatim": True}}
LINES: JsonValue = {
    "type": "array",
    "items": {"type": "object", "properties": {"n": WORD}},
}


def record_of(**fields: JsonValue) -> JsonValue:
    return {"type": "object", "properties": fields}


def run_of(schema: JsonValue, record: JsonValue, pointer: str, **options: str) -> Run:
    """A run whose one row is `record`, in which one value was copied."""
    found, settings = FoundSchema(read_schema(schema)), SteerOptions(over="t", **options)
    job = job_over(pd.DataFrame({"text": ["Ann"]}), "{{ text }}", found, settings, namespace={})
    evidence = (Evidence(pointer, 0, 0, 3),)
    return Run(job, "fake", (Row(0, record, "", (), is_kept=True, evidence=evidence),))


@pytest.mark.parametrize(
    ("schema", "record", "pointer", "column", "label"),
    [
        (record_of(**{"2024": WORD}), {"2024": "Ann"}, "/2024", "2024", "2024"),
        (record_of(**{"a/b": WORD}), {"a/b": "Ann"}, "/a~1b", "a/b", "a/b"),
        (record_of(l=LINES), {"l": [{"n": "Ann"}]}, "/l/0/n", "l", "l.n"),
        (
            record_of(d={"type": "object", "additionalProperties": WORD}),
            {"d": {"k": "Ann"}},
            "/d/k",
            "d",
            "d.k",
        ),
        (record_of(p=record_of(q=WORD)), {"p": {"q": "Ann"}}, "/p/q", "p.q", "p.q"),
        ({"type": "array", "items": WORD}, ["Ann"], "/0", "value", "value"),
        (LINES, [{"n": "Ann"}], "/0/n", "n", "n"),
        (
            record_of(**{"a.b": WORD, "a": record_of(b=WORD)}),
            {"a.b": "x", "a": {"b": "Ann"}},
            "/a/b",
            "a.b_2",
            "a.b",
        ),
    ],
)
def test_a_copied_value_is_found_in_its_column(schema, record, pointer, column, label):
    run = run_of(schema, record, pointer)
    assert [*found_evidence(run)] == [(0, column, "Ann", 0, 3, "text")]
    assert column in result_of(run).columns
    [text] = copied_from(run)
    assert [span.label for span in text.spans] == [label]


def test_a_list_that_is_taken_apart_has_columns_of_its_own():
    run = run_of(record_of(l=LINES), {"l": [{"n": "Ann"}]}, "/l/0/n", rows="l")
    assert [column for _, column, *_ in found_evidence(run)] == ["l.n"]


def test_a_key_that_has_no_column_is_named_by_its_path():
    schema = {**record_of(a=WORD), "additionalProperties": WORD}
    run = run_of(schema, {"a": "x", "b": "Ann"}, "/b")
    assert [column for _, column, *_ in found_evidence(run)] == ["b"]


@pytest.mark.parametrize(
    ("reason", "origins", "said"),
    [
        ("length", ["chosen", "chosen", "closed"], "2 tokens and closed with 1 more, to stay"),
        ("length", ["chosen"], "after 1 token, to stay in max_tokens; it is valid"),
        ("length", ["chosen"], "what came next: raise max_tokens"),
        ("context", ["chosen", "closed"], "1 more, as the model's context was full; it is valid"),
        ("context", ["chosen"], "shorten the prompt or use a model with a longer context"),
    ],
)
def test_an_answer_that_is_cut_short_says_what_helps(reason, origins, said):
    steps = [Step(1, b"x", origin, "") for origin in origins]
    row = ended_row(RowDone(0, "x", '"x"', reason, 5, 0.1), steps)
    assert said in str(row.error)
