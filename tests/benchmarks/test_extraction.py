"""The extraction benchmark: what it reads, what it counts, and what it says of a bad file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from embedded_training.exactness import MISSING
from steer_engine import read_schema, validation_error

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
SCHEMA = 'name: str, price: float | None, mood: "good" | "bad"'
CASE = {"text": "Tea, 3 $", "schema": SCHEMA, "truth": {"name": "Tea", "price": 3, "mood": "good"}}


@pytest.fixture
def cases(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import extraction_cases

    return extraction_cases


@pytest.fixture
def extraction(cases):
    import extraction

    return extraction


@pytest.fixture
def file(tmp_path):
    def write(*lines):
        path = tmp_path / "cases.jsonl"
        path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
        return path

    return write


def run(*arguments):
    command = [sys.executable, BENCHMARKS / "extraction.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("name", "least"), [("by hand", 72), ("by others", 128), ("crowded", 64)])
def test_the_cases_that_were_written_can_be_met(cases, name, least):
    written = cases.read_cases(cases.WRITTEN_SETS[name])
    assert len(written) >= least
    assert [each for each in written if validation_error(each.schema, each.truth)] == []
    assert len({each.prompt for each in written}) == len(written)


def test_the_last_line_of_output_is_the_figures(file):
    done = run("--cases", file(CASE, "", {**CASE, "prompt": "Read this:"}))
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["n_cases"] == 2
    assert figures["n_values"] == 6
    assert figures["valid"] == 1
    assert {"exact", "exact_unsteered", "valid_unsteered"} <= figures.keys()
    assert figures["kinds"]["enum"]["asked"] == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: a case is a JSON object"),
        ({"text": "a", "schema": SCHEMA}, "line 2: truth missing"),
        ({**CASE, "answer": 1}, "line 2: unknown key 'answer'"),
        ({**CASE, "text": 1}, "line 2: text and prompt are strings"),
        ({**CASE, "schema": 1}, "line 2: schema is a JSON Schema object or a string"),
        ({**CASE, "schema": "name: strr"}, "line 2: the schema cannot be read: .*did you mean"),
    ],
)
def test_a_bad_file_is_one_line_that_names_the_place(cases, file, line, message):
    with pytest.raises(cases.CaseError, match=message) as caught:
        cases.read_cases(file(CASE, line))
    assert "\n" not in str(caught.value)


def test_a_file_without_cases_or_that_is_not_there_is_an_error(cases, file, tmp_path):
    with pytest.raises(cases.CaseError, match="holds no case"):
        cases.read_cases(file(""))
    with pytest.raises(cases.CaseError, match="cannot be read"):
        cases.read_cases(tmp_path / "none.jsonl")


def test_the_script_ends_with_that_line_and_no_traceback(file):
    done = run("--cases", file("{"))
    assert done.returncode != 0
    assert "line 1: not JSON" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("prompt", "whole"),
    [
        (None, "Tea, 3 $"),
        ("What is it?", "What is it?\nTea, 3 $"),
        ("<<{text}>>", "<<Tea, 3 $>>"),
        ("Read: Tea, 3 $", "Read: Tea, 3 $"),
    ],
)
def test_a_prompt_goes_around_its_text(cases, file, prompt, whole):
    [case] = cases.read_cases(file({**CASE, "prompt": prompt}))
    assert case.prompt == whole


def test_only_plain_texts_are_marked_verbatim(cases):
    schema = read_schema('a: str | None, b: date, c: "x" | "y", d: list[{e: str}], f: int')
    marked = json.loads(cases.marked_verbatim(schema).text)
    fields = marked["properties"]
    assert fields["a"]["x-steer"] == {"verbatim": True}
    assert fields["d"]["items"]["properties"]["e"]["x-steer"] == {"verbatim": True}
    assert [name for name in "bcf" if "x-steer" in fields[name]] == []


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ('{"name": "Tea", "price": 3.0, "mood": "good"}', (3, 1)),
        ('```json\n{"name": "Tea", "price": 4, "mood": "good"}\n```', (2, 1)),
        ('{"name": "Tea", "mood": "so-so"}', (1, 0)),
        ("[1]", (0, 0)),
        ('{"name": "Tea"', (0, 0)),
    ],
)
def test_an_unsteered_text_counts_as_far_as_it_is_json(extraction, cases, file, text, counts):
    [case] = cases.read_cases(file(CASE))
    outcome = extraction.unsteered(case, text)
    assert (outcome.score.n_asked, outcome.n_cases) == (3, 1)
    assert (outcome.score.n_right, outcome.n_valid) == counts


def test_a_list_that_is_missing_has_all_its_values_wrong(extraction, cases, file):
    truth = [{"name": "Tea", "price": None}, {"name": "Milk", "price": 1}]
    schema = "[name: str, price: float | None]"
    [case] = cases.read_cases(file({**CASE, "schema": schema, "truth": truth}))
    outcome = extraction.scored(case, MISSING, is_valid=False)
    rows = outcome.parts["in lists of objects"]
    assert (rows.n_right, rows.n_asked) == (0, 4)
    outcome = extraction.scored(case, truth[:1], is_valid=True)
    rows = outcome.parts["in lists of objects"]
    assert (rows.n_right, rows.n_asked) == (2, 4)
    assert outcome.score.right["length"] == 0


def test_the_card_keeps_what_stands_around_its_figures(extraction, cases, file, tmp_path):
    import extraction_figures

    [case] = cases.read_cases(file(CASE))
    outcomes = {way: extraction.scored(case, case.truth, is_valid=True) for way in extraction.WAYS}
    card = tmp_path / "CARD.md"
    card.write_text("# Model\n\n## How good it is\n\nold\n\n## What it is not for\n\nThis.\n")
    extraction_figures.refresh_card(card, {"by hand": outcomes})
    text = card.read_text()
    assert text.startswith("# Model\n\n## How good it is\n\nShare of values")
    assert text.endswith("\n\n## What it is not for\n\nThis.\n")
    assert "old" not in text
    assert "| enum " in text
    assert "100 (1)" in text


def test_each_sort_of_drawn_text_has_figures_of_its_own(extraction, cases):
    import extraction_figures

    drawn = cases.draw_cases("new values", 12)
    outcome = sum(
        (extraction.scored(case, case.truth, is_valid=True) for case in drawn),
        extraction.Outcome(),
    )
    sorts = {case.sort for case in drawn}
    assert sorts <= {*cases.SORTS.values(), cases.COMPOSED}
    assert sum(outcome.parts[sort].n_asked for sort in sorts) == outcome.score.n_asked
    kinds = extraction_figures.figures({"steered": outcome})["kinds"]
    assert all(kinds[sort]["exact"] == 1 for sort in sorts)
