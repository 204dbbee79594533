"""`{{ expression }}` in prompts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import SCHEMA_PLACE
from steermagic.errors import InterpolationError
from steermagic.prompt import interpolate

NAMES = {"mail": "Dear {{ you }}", "n": 3, "d": {"a": {"b": 1}}, "boom": lambda: 1 / 0}


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        ("{{ mail }}", "Dear {{ you }}"),
        ("{{mail}}{{n}}", "Dear {{ you }}3"),
        ("{{ n + 1 }} of { x } and $x", "4 of { x } and $x"),
        (r"\{{ n }} is {{ n }}", "{{ n }} is 3"),
        ("{{ d['a']['b'] }}", "1"),
        ("{{ {'a': {'b': n}} }}", "{'a': {'b': 3}}"),
        ("{{ {'a': {'b': n}}['a']['b']}}", "3"),
        ("{{ ', '.join(\n  str(i * n) for i in range(3)\n) }}!", "0, 3, 6!"),
        ("{{ None }}", "None"),
        ("it's }} fine", "it's }} fine"),
        ("here: {{ schema }}", f"here: {SCHEMA_PLACE}"),
    ],
)
def test_expressions_are_filled_in(template, prompt):
    assert interpolate(template, NAMES) == prompt


@given(st.text(min_size=1).filter(str.strip))
def test_data_is_never_scanned(text):
    assert interpolate("{{ text }}", {"text": text}) == text


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("id", "{{ id }} is a function, which is no text for a prompt; did you mean 'ID'?"),
        ("type", "{{ type }} is a class, which is no text for a prompt"),
        ("pd", "{{ pd }} is a module, which is no text for a prompt; did you mean 'PD'?"),
        ("mail.upper", "{{ mail.upper }} is a function, which is no text for a prompt"),
        ("str.upper", "{{ str.upper }} is a function, which is no text for a prompt"),
        ("boom", "{{ boom }} is a function, which is no text for a prompt"),
    ],
)
def test_code_is_no_text(expression, message):
    """`{{ id }}` put <built-in function id> into the prompts of a table with a column ID."""
    with pytest.raises(InterpolationError) as caught:
        interpolate(f"{{{{ {expression} }}}}", {**NAMES, "ID": 7, "pd": pd, "PD": 1})
    assert str(caught.value) == message
    assert caught.value.undefined == (expression if expression in ("id", "type") else None)


MEANT = "; write '\\{{' where the braces are meant"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ mial }}", "{{ mial }}: there is no variable 'mial'; did you mean 'mail'?"),
        ("{{ zzzzz }}", "{{ zzzzz }}: there is no variable 'zzzzz'"),
        ("{{ boom() }}", "{{ boom() }} raised ZeroDivisionError: division by zero"),
        ("{{ d['x'] }}", "{{ d['x'] }} raised KeyError: 'x'"),
        ("{{ }}", f"{{{{ }}}} is not a Python expression: nothing stands between them{MEANT}"),
        ("{{ n) }}", f"{{{{ n) }}}} is not a Python expression: unmatched ')'{MEANT}"),
        ("one\n{{ n", f"'{{{{' is never closed (line 2 of the prompt){MEANT}"),
        ("{{ n {{ n }}", f"'{{{{' is never closed (line 1 of the prompt){MEANT}"),
        ("{{ '' }}\n", "the prompt is empty once its {{ expressions }} are filled in"),
    ],
)
def test_what_goes_wrong_is_told_in_one_line(template, message):
    with pytest.raises(InterpolationError) as caught:
        interpolate(template, NAMES)
    assert str(caught.value) == message


def test_a_long_expression_is_shortened():
    with pytest.raises(InterpolationError) as caught:
        interpolate("{{ " + " + ".join(["nothing"] * 20) + " }}", NAMES)
    assert len(str(caught.value)) < 150


def test_a_name_error_deep_in_the_users_code_is_theirs():
    def broken() -> object:
        return missing  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(InterpolationError, match="raised NameError: name 'missing'"):
        interpolate("{{ broken() }}", {"broken": broken})


def test_an_expression_leaves_no_names_behind():
    names: dict[str, object] = {"n": 1}
    assert interpolate("{{ (m := n + 1) }}", names) == "2"
    assert names == {"n": 1}


def test_a_long_frame_is_written_out_in_full():
    frame = pd.DataFrame({"value": range(500)})
    assert interpolate("{{ frame }}", {"frame": frame}).count("\n") == 500


def test_a_name_of_python_itself_is_not_what_was_meant():
    with pytest.raises(InterpolationError) as caught:
        interpolate("{{ nope }}", {"open": open, "note": 1})
    assert "did you mean 'note'?" in str(caught.value)


WORDS = [f"word-{i} " + "x" * 300 for i in range(150)]
LONG = {
    "series": lambda: pd.Series(WORDS),
    "index": lambda: pd.Index(WORDS),
    "frame": lambda: pd.DataFrame({"words": WORDS, "of": [WORDS[:1]] * 150}),
    "lists": lambda: pd.DataFrame({"all": [WORDS]}),
    "unique": lambda: pd.Series(WORDS).unique(),
    "categories": lambda: pd.Series(WORDS, dtype="category").unique(),
    "numpy": lambda: np.array(WORDS * 10),
    "polars": lambda: pytest.importorskip("polars").DataFrame({"words": WORDS}),
    "wide": lambda: pytest.importorskip("polars").DataFrame({word: [word] for word in WORDS}),
    "polars series": lambda: pytest.importorskip("polars").Series([WORDS]),
    "arrow": lambda: pytest.importorskip("pyarrow").table({"words": WORDS}),
    "arrow array": lambda: pytest.importorskip("pyarrow").array(WORDS),
}


@pytest.mark.parametrize("kind", LONG)
def test_what_a_screen_would_cut_is_written_out_in_full(kind):
    text = interpolate("{{ value }}", {"value": LONG[kind]()})
    assert [word for word in WORDS if word not in text] == []
