"""Each cell of a frame finds what is known of its value."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from steer_engine import Choices, Confidence, read_schema
from steermagic.confidences import alternatives_frame, confidence_frame, on_index
from steermagic.errors import FrameError
from steermagic.forms import found_form
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.origins import on_frame
from steermagic.runs import Row, Run, failed_row, result_of
from steermagic.schemas import FoundSchema


def row(record, *known, number=0) -> Row:
    """A row with a confidence for each pointer; `least` is a tenth of `mean`."""
    confidence = tuple(
        Confidence(pointer, mean, mean / 10, tuple(alternatives))
        for pointer, mean, *alternatives in known
    )
    return Row(number, record, "", (), is_kept=True, confidence=confidence)


def run_of(schema, *rows, table=None, **options) -> Run:
    found = schema if isinstance(schema, FoundSchema) else FoundSchema(read_schema(schema))
    if table is None:
        return Run(Job(("?",), found, SteerOptions(**options)), "fake", rows)
    given = SteerOptions(over="t", **options)
    return Run(job_over(table, "{{ text }}", found, given, namespace={}), "fake", rows)


def texts(n_rows: int, **options) -> pd.DataFrame:
    return pd.DataFrame({"text": [f"text {n}" for n in range(n_rows)]}, **options)


def values(frame: pd.DataFrame) -> list[list[float | None]]:
    return [[None if math.isnan(each) else each for each in line] for line in frame.to_numpy()]


def test_there_is_a_column_for_each_of_the_answer():
    run = run_of(
        "name: str, place: {city: str, zip: int} | None",
        row(
            {"name": "Zoë", "place": {"city": "Ulm", "zip": 1}},
            ("/name", 0.9),
            ("/place/city", 0.8),
            ("/place/zip", 0.7),
        ),
    )
    frame = confidence_frame(run, "mean")
    assert [*frame] == ["name", "place.city", "place.zip"]
    assert values(frame) == [[0.9, 0.8, 0.7]]
    assert confidence_frame(run, "least").to_numpy().tolist()[0] == pytest.approx(
        [0.09, 0.08, 0.07]
    )


def test_null_in_place_of_an_object_speaks_for_its_columns():
    run = run_of("place: {city: str, zip: int} | None", row({"place": None}, ("/place", 0.6)))
    assert values(confidence_frame(run, "mean")) == [[0.6, 0.6]]


def test_a_list_is_as_sure_as_its_least_sure_item():
    run = run_of(
        "tags: list[str], none: list[str], map: dict[str, int], more: dict[str, int]",
        row(
            {"tags": ["a", "b"], "none": [], "map": {"a/b~": 1}, "more": {}},
            ("/more", 0.8),
            ("/tags/0", 0.9),
            ("/tags/1", 0.4),
            ("/map/a~1b~0", 0.3),
        ),
    )
    assert values(confidence_frame(run, "mean")) == [[0.4, None, 0.3, 0.8]]


def test_rows_of_a_list_have_their_own():
    run = run_of("[n: int]", row([{"n": 1}, {"n": 2}], ("/0/n", 0.1), ("/1/n", 0.2)))
    assert values(confidence_frame(run, "mean")) == [[0.1], [0.2]]


def test_with_rows_each_item_has_its_own_and_the_rest_is_repeated():
    table = texts(3, index=["x", "y", "z"])
    lines = [{"n": 1}, {"n": 2}]
    run = run_of(
        "who: str, lines: list[{n: int}]",
        row({"who": "a", "lines": lines}, ("/who", 0.9), ("/lines/0/n", 0.1), ("/lines/1/n", 0.2)),
        failed_row(1, ValueError()),
        row({"who": "b", "lines": lines[:1]}, ("/who", 0.8), ("/lines/0/n", 0.3), number=2),
        table=table,
        rows="lines",
    )
    frame = confidence_frame(run, "mean")
    assert frame.index.tolist() == ["x", "x", "y", "z"]
    assert values(frame) == [[0.9, 0.1], [0.9, 0.2], [None, None], [0.8, 0.3]]
    assert frame.index.equals(result_of(run).index)


@pytest.mark.parametrize("rows", [None, "lines"])
def test_an_empty_table_has_no_rows(rows):
    if rows is None:
        run = run_of("[n: int]", row([], ("", 0.5)))
    else:
        run = run_of("lines: list[{n: int}]", row({"lines": []}, ("/lines", 0.5)), rows=rows)
    frame = confidence_frame(run, "mean")
    assert frame.shape == (0, 1)
    assert frame.index.equals(result_of(run).index)


def test_rows_without_an_answer_have_none():
    rows = [row({"n": 1}, ("/n", 0.5), number=1), failed_row(2, ValueError())]
    run = run_of("n: int", *rows, table=texts(3, index=[10, 20, 30]))
    frame = confidence_frame(run, "mean")
    assert values(frame) == [[None], [0.5], [None]]
    assert frame.index.equals(result_of(run).index)


def test_a_text_form_is_one_column():
    found = found_form(Choices(("a", "b")))
    run = run_of(found, row("a", ("", 0.5, ("a", 0.5), ("b", 0.3))))
    assert confidence_frame(run, "mean")["answer"].tolist() == [0.5]
    assert alternatives_frame(run)["answer"].to_dict("records") == [{"a": 0.5, "b": 0.3}]


def test_alternatives_have_a_column_each_in_the_order_of_the_schema():
    run = run_of(
        'mood: "good" | "bad" | None, paid: bool, stars: 1 | 2, name: str, tags: list["x" | "y"]',
        row(
            {"mood": "bad", "paid": True, "stars": 2, "name": "a", "tags": ["x"]},
            ("/mood", 0.5, ("bad", 0.5), (None, 0.3), ("good", 0.2)),
            ("/paid", 0.9, (True, 0.9), (False, 0.1)),
            ("/stars", 0.8, (2, 0.8), (1, 0.2)),
            ("/name", 0.4),
            ("/tags/0", 0.8, ("x", 0.8), ("y", 0.2)),
        ),
        failed_row(1, ValueError()),
        table=texts(2, index=["p", "q"]),
    )
    frame = alternatives_frame(run)
    assert frame.columns.names == ["column", "alternative"]
    assert [*frame] == [
        ("mood", "good"),
        ("mood", "bad"),
        ("mood", "null"),
        ("paid", "true"),
        ("paid", "false"),
        ("stars", "1"),
        ("stars", "2"),
    ]
    assert values(frame) == [[0.2, 0.5, 0.3, 0.9, 0.1, 0.2, 0.8], [None] * 7]
    assert frame.loc["p", "mood"].idxmax() == "bad"
    assert frame.index.tolist() == ["p", "q"]


def test_alternatives_of_one_spelling_are_told_apart():
    run = run_of(
        {"enum": [True, "true", None, "null", "a"]},
        row(True, ("", 1.0, (True, 0.5), ("true", 0.2), (None, 0.1), ("null", 0.1), ("a", 0.1))),
    )
    names = alternatives_frame(run)["value"].columns.tolist()
    assert sorted(names) == ['"null"', '"true"', "a", "null", "true"]


def test_without_choices_there_are_no_alternatives():
    run = run_of("n: int", row({"n": 1}, ("/n", 0.5)))
    frame = alternatives_frame(run)
    assert frame.shape == (1, 0)
    assert frame.columns.names == ["column", "alternative"]


def test_a_table_follows_the_labels_of_a_frame():
    table = pd.DataFrame({"n": [0.1, 0.2, 0.3]}, index=["x", "y", "z"])
    assert on_index(table, table.index) is table
    assert values(on_index(table, pd.Index(["z", "x", "new"]))) == [[0.3], [0.1], [None]]


def test_rows_of_one_label_share_the_lowest():
    table = pd.DataFrame({"n": [0.1, 0.2, math.nan, math.nan]}, index=["x", "x", "y", "z"])
    assert on_index(table, table.index) is table
    assert values(on_index(table, pd.Index(["z", "x"]))) == [[None], [0.1]]
    levels = table.set_index(pd.MultiIndex.from_tuples([(1, 2), (1, 2), (1, 3), (2, 3)]))
    assert values(on_index(levels, levels.index[[1]])) == [[0.1]]


KINDS = (
    "n: int | None, x: float | None, due: date | None, tags: list[str] | None, at: dict[str, int]"
)
RECORDS = [
    {"n": 1, "x": 0.5, "due": "2026-01-31", "tags": ["a", "b"], "at": {"k": 1}},
    {"n": None, "x": None, "due": None, "tags": None, "at": {}},
]


def run_of_kinds(n_rows: int) -> Run:
    pointers = ("/n", "/x", "/due", "/tags", "/tags/0", "/at", "/at/k")
    known = [(pointer, 0.5) for pointer in pointers]
    rows = (row(each, *known, number=number) for number, each in enumerate(RECORDS))
    return run_of(KINDS, *rows, table=texts(n_rows))


def test_values_of_every_kind_are_known_again():
    run = run_of_kinds(3)
    frame, known = result_of(run), confidence_frame(run, "mean")
    looks_other = frame.astype({"n": "float64", "x": object, "tags": object}).assign(
        tags=[np.array(["a", "b"]), float("nan"), pd.NA], due=frame["due"].astype("datetime64[ns]")
    )
    for same in (frame, frame.copy(), looks_other, frame.convert_dtypes()):
        pd.testing.assert_frame_equal(on_frame(known, run, same), known)
    pd.testing.assert_frame_equal(on_frame(known, run, frame[::-1]), known[::-1])
    assert on_frame(known, run, pd.concat([frame, frame])).equals(pd.concat([known, known]))


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", 2), ("n", None), ("x", 0.25), ("due", pd.NaT), ("tags", ["b", "a"]), ("at", {"k": 2})],
)
def test_what_is_known_of_a_value_goes_with_it(name, value):
    run = run_of_kinds(2)
    frame, known = result_of(run), confidence_frame(run, "mean")
    column = frame[name].astype(object)
    column.array[0] = value
    known.loc[0, name] = math.nan
    changed = frame.assign(**{name: column})
    pd.testing.assert_frame_equal(on_frame(confidence_frame(run, "mean"), run, changed), known)


def test_items_of_a_list_are_told_apart_by_their_answers():
    items = [{"n": n, "word": word} for n, word in enumerate("aab")]
    known = [(f"/{number}/{name}", 0.5) for number in range(3) for name in ("n", "word")]
    run = run_of("[n: int, word: str]", row(items, *known))
    frame, probs = result_of(run), confidence_frame(run, "mean")
    assert on_frame(probs, run, frame[["word"]].assign(word="b")).isna().sum().tolist() == [0, 2]
    with pytest.raises(FrameError, match="2 of 3 rows have lost the label"):
        on_frame(probs, run, frame[::-1].reset_index(drop=True))
