"""`--min-confidence`: which rows somebody should look at."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from IPython.utils.capture import capture_output

from steer_engine import Engine
from steer_engine.backends.fake import FakeBackend
from steermagic.errors import CellError, FrameError, OptionError
from steermagic.job import Job, job_over
from steermagic.magics import SteerMagic
from steermagic.options import SteerOptions
from steermagic.review import doubts_line
from steermagic.runs import result_of
from steermagic.schemas import read_source
from steermagic.session import Session

TEXTS = ["sure 0", "unsure 1", "sure 2", "unsure 3"]
SCHEMA = 'n: int 0..9, mood: "good" | "bad"'
WISH = '{"n": 7, "mood": "good"}'


class Doubting(FakeBackend):
    """Has weak preferences where it is asked about a text that is "unsure"."""

    def _logits(self, tokens):
        is_unsure = b"unsure" in self.vocabulary.spell(tokens)
        return super()._logits(tokens) * np.float32(0.1 if is_unsure else 1.0)


def doubting() -> Session:
    return Session(lambda _spec: Engine(Doubting(WISH)))


def job(texts=TEXTS, schema=SCHEMA, **options) -> Job:
    table = pd.DataFrame({"text": texts}, index=[f"r{n}" for n in range(len(texts))])
    given = SteerOptions(over="texts", **{"store": "off", **options})
    return job_over(table, "{{ text }}", read_source(schema), given, namespace={})


@pytest.fixture
def frame() -> pd.DataFrame:
    return doubting().answer(job(min_confidence=0.5))


def test_rows_with_a_doubtful_value_are_listed_with_the_reason(frame):
    doubtful = frame.steer.doubtful
    assert [*doubtful] == [*frame, "why"]
    assert doubtful.index.tolist() == ["r1", "r3"]
    pd.testing.assert_frame_equal(doubtful.drop(columns="why"), frame.loc[["r1", "r3"]])
    assert doubtful["why"].str.fullmatch(r"n \(\d+%\)(, mood \(\d+%\))?").all()


def test_another_threshold_can_be_asked_for(frame):
    assert frame.steer.doubtful_below(0.0).empty
    lowest = frame.steer.confidence.min(axis=1)
    assert len(frame.steer.doubtful_below(1.0)) == (lowest < 1).sum()
    with pytest.raises(OptionError, match="a confidence must be from 0 to 1, not 40"):
        frame.steer.doubtful_below(40)
    with pytest.raises(OptionError, match="a confidence must be from 0 to 1, not 'x'"):
        frame.steer.doubtful_below("x")


def test_it_speaks_of_the_rows_that_a_frame_still_has(frame):
    part = frame.iloc[::-1].iloc[:2][["n"]]
    assert part.steer.doubtful.index.tolist() == ["r3"]
    assert part.steer.confidence.index.tolist() == ["r3", "r2"]
    assert part.steer.least_confidence.index.tolist() == ["r3", "r2"]
    assert part.steer.alternatives.index.tolist() == ["r3", "r2"]
    assert frame[frame.steer.confidence["n"] < 0.5].index.tolist() == ["r1", "r3"]
    assert frame[frame["n"] > 100].steer.doubtful.empty


REPLACED = "lost the label that they had .* the index was replaced; use .steer before reset_index"


@pytest.mark.parametrize(
    "made",
    [
        lambda frame: frame.reset_index(),
        lambda frame: frame.set_index("text"),
        lambda frame: frame.set_index(["text", "n"]),
        lambda frame: frame.set_index("text", append=True),
        lambda frame: frame[["n", "mood"]].reset_index(drop=True),
    ],
)
def test_a_frame_with_an_index_of_its_own_is_refused(frame, made):
    assert_refused(made(frame), match=REPLACED)
    assert made(frame).iloc[:0].steer.doubtful.empty


def assert_refused(frame, *, match):
    for ask in (
        lambda steer: steer.confidence,
        lambda steer: steer.least_confidence,
        lambda steer: steer.alternatives,
        lambda steer: steer.doubtful,
        lambda steer: steer.review(),
    ):
        with pytest.raises(FrameError, match=match):
            ask(frame.steer)


@pytest.fixture
def numbered() -> pd.DataFrame:
    options = SteerOptions(over="texts", store="off", min_confidence=0.5)
    table = pd.DataFrame({"text": TEXTS})
    asked = job_over(table, "{{ text }}", read_source(SCHEMA), options, namespace={})
    return doubting().answer(asked)


def test_rows_that_got_the_labels_of_others_are_refused(numbered):
    """Each had the confidence of the row that the run had at that place."""
    turned = numbered.sort_values("text", ascending=False)
    assert turned.steer.doubtful.index.tolist() == [3, 1]
    assert_refused(turned.reset_index(drop=True), match=f"2 of 4 rows have {REPLACED}")
    part = numbered.drop(index=2).reset_index(drop=True)
    assert_refused(part, match=f"1 of 3 rows have {REPLACED}")
    assert_refused(part.assign(n=0, mood=None), match="1 of 3 rows")
    told = part.steer.show()._repr_html_()
    assert told.count("confidence (") == 4  # of two rows


def test_a_copy_with_a_label_of_its_own_has_no_confidence(numbered):
    known = numbered.steer.confidence
    numbered.loc[9] = numbered.loc[1]
    assert numbered.steer.doubtful.index.tolist() == [1, 3]
    pd.testing.assert_frame_equal(numbered.steer.confidence, known.reindex(numbered.index))
    assert repr(numbered.steer.review()).startswith("Review of 4 rows")
    assert_refused(numbered.drop(index=1), match=f"1 of 4 rows have {REPLACED}")


def test_what_tells_rows_apart_can_be_changed(numbered):
    known = numbered.steer.confidence
    for texts in (numbered["text"].str.upper(), ["sure 0", "x", None, None], [(["a"],)] * 4):
        pd.testing.assert_frame_equal(numbered.assign(text=texts).steer.confidence, known)


def test_rows_with_their_own_labels_are_not_refused_for_an_edit(numbered):
    """A text that became that of another row was taken for it, and the index for replaced."""
    known = numbered.steer.confidence
    for texts in (["sure 0", "sure 0", "sure 2", "unsure 3"], ["unsure 1", "sure 2", "x", "y"]):
        edited = numbered.assign(text=texts)
        pd.testing.assert_frame_equal(edited.steer.confidence, known)
        pd.testing.assert_frame_equal(edited[::-1].steer.confidence, known[::-1])
    assert_refused(numbered[::-1].reset_index(drop=True), match=f"4 of 4 rows have {REPLACED}")


def test_a_value_that_was_corrected_is_not_the_models(frame):
    known = frame.steer.confidence
    frame.loc["r1", "n"] = 3
    frame.loc["r3", ["n", "mood"]] = [None, "bad"]
    assert frame.steer.confidence.isna().to_numpy().nonzero()[0].tolist() == [1, 3, 3]
    assert frame.steer.confidence.loc["r1", "mood"] == known.loc["r1", "mood"]
    assert frame.steer.alternatives.loc["r3"].isna().all()
    assert "n (" not in " ".join(frame.steer.doubtful["why"])
    assert "r3" not in frame.steer.doubtful.index
    assert repr(frame.steer.review()).startswith("Review of 4 rows")


def test_a_column_of_that_name_stays(frame):
    frame["why"] = "mine"
    assert [*frame.steer.doubtful][-2:] == ["why", "why_2"]
    frame["why_2"] = "mine"
    assert [*frame.steer.doubtful][-1] == "why_3"


def test_without_a_threshold_nothing_is_doubtful_by_itself():
    frame = doubting().answer(job())
    with pytest.raises(OptionError, match=r"P; write %steer doubtful P, or of a"):
        _ = frame.steer.doubtful


def test_every_measure_is_what_the_engine_told():
    session = doubting()
    frame = session.answer(job(min_confidence=0.5))
    for number, row in enumerate(session.last_run().rows):
        known = {each.pointer: each for each in row.confidence}
        assert frame.steer.confidence["n"].iloc[number] == known["/n"].mean
        assert frame.steer.least_confidence["n"].iloc[number] == known["/n"].least
        moods = frame.steer.alternatives["mood"].iloc[number].to_dict()
        assert moods == dict(known["/mood"].alternatives)
        assert sum(moods.values()) == pytest.approx(1, abs=1e-2)


def known_of(frame):
    return [frame.steer.confidence, frame.steer.alternatives, frame.steer.doubtful]


def test_what_is_reused_has_the_same_confidence(tmp_path, monkeypatch):
    monkeypatch.setenv("STEERMAGIC_STORE", str(tmp_path / "runs.sqlite"))
    first = known_of(doubting().answer(job(min_confidence=0.5, store=None)))
    session = doubting()
    again = known_of(session.answer(job(min_confidence=0.5, store=None, cache=True)))
    assert not session.last_run().steps  # nothing was asked
    other = doubting()
    recalled = other.recall(other.store().runs()[0])
    stored = known_of(other.result(recalled))
    for one, two, three in zip(first, again, stored, strict=True):
        pd.testing.assert_frame_equal(one, two)
        assert three.index.tolist() == [int(label[1:]) for label in one.index]  # no table is stored
    for one, three in zip(first[:2], stored[:2], strict=True):
        assert three.to_numpy().tolist() == one.to_numpy().tolist()


def test_the_line_tells_how_many():
    def line(texts, **options):
        session = doubting()
        session.answer(job(texts, min_confidence=0.5, **options))
        return doubts_line(session.last_run(), shown_by="HERE")

    assert line(TEXTS) == "2 of 4 rows have a value with a confidence below 0.5: HERE"
    assert line(TEXTS[:3]) == "1 of 3 rows has a value with a confidence below 0.5: HERE"
    assert line(TEXTS[:1]) == "0 of 1 rows have a value with a confidence below 0.5"
    session = doubting()
    session.answer(job())
    assert doubts_line(session.last_run(), shown_by="HERE") == ""


def test_a_model_that_tells_nothing_is_told_of():
    session = doubting()
    session.answer(job(min_confidence=0.5))
    run = session.last_run()
    rows = tuple(type(row)(**{**fields(row), "confidence": ()}) for row in run.rows)
    silent = type(run)(run.job, run.model, rows)
    assert "so --min-confidence marks no row" in doubts_line(silent, shown_by="HERE")


def fields(row):
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


@pytest.mark.parametrize("form", ["polars", "arrow", "dict"])
def test_a_function_call_warns_where_there_is_no_accessor(form):
    with pytest.warns(UserWarning, match="2 of 4 rows have a value"):
        doubting().answer(job(min_confidence=0.5, as_=form))


@pytest.fixture
def book(notebook, monkeypatch):
    monkeypatch.setenv("STEERMAGIC_STORE", "off")
    book = notebook(json.loads(WISH))
    book.session = doubting()
    book.magics = SteerMagic(book.shell, book.session)
    book.shell.register_magics(book.magics)
    return book


def run(book, line: str, body: str = "{{ text }}") -> str:
    """Run a cell over the texts and return what stands below its value."""
    with capture_output() as captured:
        book.run(f"%%steer {line}\n{body}", texts=TEXTS)
    return "\n".join(output.data["text/plain"] for output in captured.outputs)


def test_a_cell_says_how_many_rows_are_doubtful(book):
    line = "2 of 4 rows have a value with a confidence below 0.5: kept.steer.doubtful"
    cell = f"{SCHEMA} --over texts --min-confidence 0.5"
    assert run(book, f"{cell} -o kept --view off").splitlines()[-1] == line
    assert run(book, f"{cell} -o kept").splitlines()[-1] == line
    assert run(book, cell).splitlines()[-1].endswith(": %steer doubtful")
    assert "rows have" not in run(book, f"{cell} --quiet")


def test_a_setting_does_as_well(book):
    book.run("%config SteerMagic.min_confidence = 0.5")
    assert "2 of 4 rows" in run(book, f"{SCHEMA} --over texts")
    with pytest.raises(CellError, match="min_confidence must be from 0 to 1, not 50"):
        run(book, f"{SCHEMA} --over texts --min-confidence 50")
    book.run("%config SteerMagic.min_confidence = None")


def test_a_command_shows_them_whatever_the_result_is(book):
    run(book, f"{SCHEMA} --over texts --min-confidence 0.5 --as polars")
    doubtful = book.run("%steer doubtful")
    assert isinstance(doubtful, pl.DataFrame)
    assert doubtful["index"].to_list() == [1, 3]
    assert book.run("%steer doubtful 0.1").is_empty()
    run(book, f"{SCHEMA} --over texts --as dict")
    assert book.run("%steer doubtful 0.5").index.tolist() == [1, 3]
    for wrong, message in {
        "%steer doubtful much": "write %steer doubtful, or",
        "%steer doubtful 2": "must be from 0 to 1, not 2",
        "%steer doubtful": "had no --min-confidence",
    }.items():
        with pytest.raises(CellError, match=message):
            book.run(wrong)


@pytest.mark.parametrize("form", ["polars", "arrow"])
def test_a_command_keeps_columns_and_their_types(book, form):
    table = pl.DataFrame({"text": TEXTS}).with_row_index()
    cell = f'{SCHEMA}, odd: 1 | "a" --over pidx --as {form}'
    book.run(f"%%steer {cell} --min-confidence 0.5\n{{{{ text }}}}", pidx=table)
    whole, doubtful = book.run("%steer last"), book.run("%steer doubtful")
    none = book.run("%steer doubtful 0.0")
    doubtful, none = (pl.DataFrame(each) for each in (doubtful, none))
    assert doubtful["index"].to_list() == [1, 3]
    assert doubtful.schema == none.schema == {**pl.DataFrame(whole).schema, "why": pl.String}
    assert len(none) == 0


@pytest.mark.parametrize("form", ["polars", "arrow"])
def test_a_table_without_labels_tells_the_numbers_of_the_rows(book, form):
    body = "{{ text }}"
    book.run(f"%%steer {SCHEMA} --over t --as {form}\n{body}", t=pl.DataFrame({"text": TEXTS}))
    doubtful = pl.DataFrame(book.run("%steer doubtful 0.5"))
    assert doubtful.columns == ["index", "text", "n", "mood", "why"]
    assert doubtful["index"].to_list() == [1, 3]
    labelled = pd.DataFrame({"text": TEXTS}, index=pd.Index([*"abcd"], name="id"))
    book.run(f"%%steer {SCHEMA} --over t --as {form}\n{body}", t=labelled)
    doubtful = pl.DataFrame(book.run("%steer doubtful 0.5"))
    assert doubtful.columns == ["id", "text", "n", "mood", "why"]
    assert doubtful["id"].to_list() == ["b", "d"]


def test_an_answer_without_rows_has_no_doubtful_ones(book):
    run(book, f"{SCHEMA} --unsteered", body="hello")
    with pytest.raises(CellError, match="the last cell gave no rows"):
        book.run("%steer doubtful 0.5")


def test_the_result_can_be_had_in_another_form():
    session = doubting()
    session.answer(job(as_="dict"))
    assert isinstance(result_of(session.last_run(), as_="pandas"), pd.DataFrame)
