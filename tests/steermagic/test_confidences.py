"""Each cell of a frame finds what is known of its value."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from steer_engine import Choices, Confidence, read_schema
from steermagic.confidences import alternatives_frame, confidence_frame
from steermagic.errors import FrameError
from steermagic.forms import found_form
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.origins import attach, on_frame
from steermagic.runs import Row, Run, failed_row, result_of
from steermagic.schemas import FoundSchema
from steermagic.store import StoredRun, restored


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


def test_an_item_that_was_corrected_to_another_one_keeps_its_label():
    items = [{"n": n, "word": word} for n, word in [(1, "lo"), (1, "hi"), (2, "hi")]]
    known = [(f"/{number}/{name}", 0.5) for number in range(3) for name in ("n", "word")]
    run = run_of("[n: int, word: str]", row(items, *known))
    frame, probs = result_of(run), confidence_frame(run, "mean")
    frame.loc[0, "word"] = "hi"
    assert on_frame(probs, run, frame).isna().sum().tolist() == [0, 1]


NAMES = [
    row({"name": "Ann", "n": 1}, ("/name", 0.1), ("/n", 0.2)),
    row({"name": "Bob", "n": 2}, ("/name", 0.3), ("/n", 0.4), number=1),
    row({"name": "Bob", "n": 1}, ("/name", 0.5), ("/n", 0.6), number=2),
    row({"name": "Zoe", "n": 2}, ("/name", 0.7), ("/n", 0.8), number=3),
]


def run_of_labels(*labels: object, texts=("a", "b", "c", "d")) -> Run:
    table = pd.DataFrame({"text": texts}, index=labels)
    return run_of("name: str, n: int", *NAMES, table=table)


def known_of(run: Run, frame: pd.DataFrame) -> list[list[float | None]]:
    known = on_frame(confidence_frame(run, "mean"), run, frame)
    assert known.index.equals(frame.index)
    return values(known)


def test_rows_of_one_label_are_told_apart():
    """They shared the lowest confidence of theirs, so that rows had that of others."""
    run = run_of_labels(0, 1, 0, 1)
    frame, known = result_of(run), values(confidence_frame(run, "mean"))
    assert known_of(run, frame) == known
    for places in ([2, 3], [2, 3, 0, 1], [3, 1, 0, 2], [0, 1, 2, 3, 2]):
        assert known_of(run, frame.iloc[places]) == [known[place] for place in places]
    answers = frame.drop(columns="text")
    assert known_of(run, answers.iloc[1:]) == known[1:]
    corrected = frame.assign(name="Eve").iloc[1:]
    assert known_of(run, corrected) == [[None, 0.4], [None, 0.6], [None, 0.8]]


def test_of_rows_that_cannot_be_told_apart_nothing_is_known():
    run = run_of_labels(0, 0, 0, 0)
    frame = result_of(run)
    assert known_of(run, frame[["n"]]) == values(confidence_frame(run, "mean"))
    assert known_of(run, frame[["n"]].iloc[1:]) == [[None, None]] * 3
    assert known_of(run, frame[["name"]].iloc[2:]) == [[None, None], [0.7, 0.8]]
    assert known_of(run, frame.assign(text="?", n=9)[1:]) == [[None, None]] * 3


def test_rows_that_are_equal_in_all_share_the_lowest():
    rows = (row({"n": 1}, ("/n", each), number=number) for number, each in enumerate([0.3, 0.2]))
    run = run_of("n: int", *rows, table=pd.DataFrame({"text": ["a", "a"]}, index=["x", "x"]))
    assert known_of(run, result_of(run)) == [[0.3], [0.2]]
    assert known_of(run, result_of(run)[1:]) == [[0.2]]
    assert known_of(run, result_of(run)[:1]) == [[0.2]]


def test_items_of_one_row_of_the_table_are_told_apart():
    items = [{"n": n, "word": word} for n, word in enumerate("aab")]
    known = [(f"/{nth}/{name}", nth / 10) for nth in range(3) for name in ("n", "word")]
    run = run_of("[n: int, word: str]", row(items, *known), table=texts(1))
    frame = result_of(run)
    assert known_of(run, frame[::-1]) == [[0.2, 0.2], [0.1, 0.1], [0.0, 0.0]]
    with pytest.raises(FrameError, match="2 of 3 rows have lost the label"):
        known_of(run, frame.reset_index(drop=True))


@pytest.mark.parametrize("labels", [(0, 1, 2, 3), (0, 1, 0, 1)])
def test_rows_that_are_not_of_the_run_have_no_confidence(labels):
    run = run_of_labels(*labels)
    frame, known = result_of(run), values(confidence_frame(run, "mean"))
    other = pd.DataFrame({"text": ["new"], "name": ["Ann"], "n": [1]})
    assert known_of(run, pd.concat([frame, other])) == [*known, [None, None]]
    copied = pd.concat([frame, frame.iloc[:1].set_axis([9])])
    assert known_of(run, copied) == [*known, [None, None]]
    for melted in (frame.melt(), frame.melt(id_vars="text")):
        assert known_of(run, melted) == [[None, None]] * len(melted)


def as_stored(run: Run, **options: object) -> Run:
    """The run as it comes back from the store, after a restart of the kernel."""
    schema = run.job.found.schema
    stored = StoredRun(
        number=1,
        id=run.id,
        started=0.0,
        ended=1.0,
        state="done",
        model=run.model,
        spec="fake",
        cell=None,
        options={"over": "t", **options},
        form=json.dumps({"schema": schema.text, "name": schema.name}),
        n_rows=len(run.rows),
        n_done=len(run.rows),
        n_failed=0,
    )
    return restored(stored, run.rows)


def test_a_frame_of_a_stored_run_is_known_by_the_order_of_its_rows():
    """Its labels were taken for the numbers of the run's rows."""
    run = run_of_labels(3, 2, 1, 0)
    frame, stored, known = result_of(run), as_stored(run), confidence_frame(run, "mean")
    assert known_of(stored, frame) == values(known)
    assert known_of(stored, frame.iloc[:0]) == []
    for made in (frame[::-1], frame[1:], frame.assign(n=1), frame.reset_index()[::-1]):
        with pytest.raises(FrameError, match="the store, which does not have this frame's index"):
            known_of(stored, made)


ALIKE = [row({"n": 1}, ("/n", number / 10), number=number) for number in range(4)]


def stored_alike(*labels: object) -> tuple[pd.DataFrame, Run, list[list[float | None]]]:
    """The frame of a run whose answers are all equal, the run from the store, what is known."""
    table = texts(len(ALIKE), index=labels or None)
    run = run_of("n: int", *ALIKE, table=table)
    stored = as_stored(run, labels=run.job.over.labels_mark())
    return result_of(run), stored, values(confidence_frame(run, "mean"))


def test_a_frame_of_a_stored_run_whose_labels_are_numbers_is_known_by_them():
    """Equal answers were taken for a proof that the rows are in order."""
    frame, stored, known = stored_alike()
    assert known_of(stored, frame) == known
    for places in ([3, 2, 1, 0], [2], [1, 1]):
        assert known_of(stored, frame.iloc[places]) == [known[place] for place in places]
    with pytest.raises(FrameError, match="lacks rows of the run, its order or its answers"):
        known_of(stored, frame.assign(n=[1, 2, 1, 1]))


@pytest.mark.parametrize("labels", ["abcd", (3, 2, 1, 0), [(1, "a"), (1, "b"), (2, "a"), (3, "")]])
def test_a_frame_of_a_stored_run_with_other_labels_has_to_be_in_order(labels):
    frame, stored, known = stored_alike(*labels)
    assert known_of(stored, frame) == known
    for made in (frame[::-1], frame.reset_index(drop=True), frame[1:]):
        with pytest.raises(FrameError, match="lacks rows of the run, its order or its answers"):
            known_of(stored, made)


@pytest.mark.parametrize(
    "ends", [[(0, 2), (1, 3), (1, 3), (2, 4)], [(0, 1), (1, 2), (2, 3), (3, 4)]]
)
def test_intervals_are_labels_as_others_are(ends):
    """Of overlapping ones pandas raised an error, else numbers were taken for those they lie in."""
    index = pd.IntervalIndex.from_tuples(ends)
    run = run_of_labels(*index)
    frame, known = result_of(run), confidence_frame(run, "mean")
    assert isinstance(frame.index, pd.IntervalIndex)
    assert known_of(run, frame[::-1]) == values(known)[::-1]
    with pytest.raises(FrameError, match="the index was replaced"):
        known_of(run, frame.reset_index(drop=True))


def test_the_frame_that_a_stored_run_gives_has_its_numbers():
    run = run_of_labels(3, 2, 1, 0)
    stored, known = as_stored(run), values(confidence_frame(run, "mean"))
    frame = result_of(stored)
    attach(stored, frame)
    assert known_of(stored, frame[::-1]) == known[::-1]
    assert known_of(stored, frame.assign(n=9)[2:]) == [[0.5, None], [0.7, None]]
