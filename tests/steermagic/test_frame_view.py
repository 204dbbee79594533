"""`df.steer.show()`: a frame to look at, whatever stands in it."""

from __future__ import annotations

import html
import json
import re

import numpy as np
import pandas as pd
import pytest

from hostile_html import HOSTILE, markup
from steer_engine import Confidence, read_schema
from steermagic.errors import OptionError
from steermagic.frame_view import FrameView, frame_view, http_address
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.runs import Row, Run, result_of
from steermagic.schemas import FoundSchema

TAGS = {
    "div", "span", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "a",
}  # fmt: skip
ATTRIBUTES = {
    "class", "style", "title", "scope", "tabindex", "role", "aria-label", "href", "rel", "target",
}  # fmt: skip


def asked(wishing, wish, schema, texts=("Ann met Bob",), *, index=None, **options) -> pd.DataFrame:
    """The frame of a run over a table of texts, whose every answer is `wish`."""
    table = pd.DataFrame({"text": list(texts)}, index=index)
    found = FoundSchema(read_schema(schema))
    settings = SteerOptions(over="t", **options)
    prompt = "Who? {{ text.strip() }}"
    return wishing(wish).answer(job_over(table, prompt, found, settings, namespace={}))


def view_of_run(record, schema, text="", *, confidence=(), index=None, **options) -> FrameView:
    """The view of a run whose one row is `record`, without a model."""
    table = pd.DataFrame({"text": [text]}, index=index)
    found = FoundSchema(read_schema(schema))
    settings = SteerOptions(over="t", **options)
    job = job_over(table, "{{ text }}", found, settings, namespace={})
    row = Row(0, record, "", (), is_kept=True, is_finished=True, confidence=confidence)
    run = Run(job, "fake", (row,))
    return frame_view(run, result_of(run))


def page(frame: pd.DataFrame, **limits: int) -> str:
    return frame.steer.show(**limits)._repr_html_()


def cells(text: str) -> list[tuple[str, str]]:
    """The title and the text of each cell of a page's first table."""
    table = text.partition("</table>")[0]
    found = re.findall(r"<td [^>]*?(?:title=\"([^\"]*)\")?>(.*?)</td>", table, re.DOTALL)
    return [(html.unescape(title), re.sub("<[^>]*>", "", text)) for title, text in found]


def heads(text: str) -> dict[str, str]:
    """The title of each column's head."""
    found = re.findall(r'<th [^>]*scope="col" title="([^"]*)">(.*?)</th>', text)
    return {html.unescape(name): html.unescape(title) for title, name in found}


NOTATION = """
who: verbatim  # the person
mood: "glad" | "sad"
n: int | None
due: date  # when
buyer: {town: str  # where it goes
}
"""
WISH = {
    "who": "Bob",
    "mood": "sad",
    "n": None,
    "due": "2026-03-01",
    "buyer": {"town": "Oslo"},
}


def test_heads_tell_type_and_description(wishing):
    text = page(asked(wishing, WISH, NOTATION))
    assert heads(text) == {
        "text": "str",
        "who": "verbatim: the person",
        "mood": '"glad" | "sad"',
        "n": "int | None",
        "due": "date: when",
        "buyer.town": "str: where it goes",
    }


def test_types_and_descriptions_can_be_read_without_pointing(wishing):
    legend = page(asked(wishing, WISH, NOTATION)).partition("what the columns are")[2]
    assert "the person" in legend
    assert "date" in legend


def test_descriptions_beside_references_are_told():
    schema = read_schema(
        {
            "$defs": {"Amount": {"type": "integer", "description": "any"}},
            "type": "object",
            "properties": {"amount": {"$ref": "#/$defs/Amount", "description": "in EUR"}},
        }
    )
    assert heads(view_of_run({"amount": 3}, schema.document)._repr_html_()) == {
        "text": "str",
        "amount": "int: in EUR",
    }


def test_types_that_have_no_notation_are_told_in_a_word():
    schema = {
        "type": "object",
        "properties": {
            "odd": {"type": "string", "not": {"const": "x"}},
            "x": {"type": "array", "items": {"$ref": "#/properties/x"}},
        },
    }
    told = heads(view_of_run({"odd": "y", "x": []}, schema)._repr_html_())
    assert (told["odd"], told["x"]) == ("string", "list")


def test_cells_tell_confidence_and_source(wishing):
    (_, _), (who, name), (mood, _), (_, n), (_, due), (_, town) = cells(
        page(asked(wishing, WISH, NOTATION))
    )
    assert name == "Bob"
    assert re.fullmatch(
        r"confidence \((over )?\d+%\) · copied from text.strip\(\), characters 8 to 11", who
    )
    assert re.fullmatch(r"confidence \((over )?\d+%\)", mood)
    assert (n, due, town) == ("null", "2026-03-01", "Oslo")


def test_a_value_that_somebody_changed_has_the_runs_value_in_place_of_its_confidence(wishing):
    frame = asked(wishing, WISH, NOTATION)
    frame.loc[0, "who"] = "Ann"
    frame.loc[0, "n"] = 4
    told = {text: title for title, text in cells(page(frame))}
    assert told["Ann"] == "changed since; the run had: Bob"
    assert told["4"] == "changed since; the run had: nothing"


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.assign(n=frame["n"].astype(float)),
        lambda frame: frame.assign(at=frame["at"].dt.tz_convert("Europe/Berlin")),
        lambda frame: frame.assign(due=frame["due"].dt.date),
        lambda frame: frame.assign(tags=frame["tags"].map(tuple)),
        lambda frame: frame.assign(tags=frame["tags"].map(np.array)),
    ],
)
def test_a_value_of_another_type_is_still_the_runs(change, wishing):
    """It was called changed, while its confidence was told elsewhere."""
    wish = {"n": 3, "at": "2026-01-01T10:00:00Z", "due": "2026-03-01", "tags": ["x", "y"]}
    frame = change(asked(wishing, wish, "n: int, at: datetime, due: date, tags: list[str]"))
    shown = page(frame)
    assert "changed since" not in shown
    assert ("[&quot;x&quot;, &quot;y&quot;]") in shown
    assert frame.steer.confidence.notna().all(axis=None)


def test_rows_are_found_by_their_label(wishing):
    frame = asked(wishing, WISH, NOTATION, ["Bob", "a Bob"], index=["x", "y"])
    [first, second] = cells(page(frame[::-1][["who"]]))
    assert "characters 2 to 5" in first[0]
    assert "characters 0 to 3" in second[0]
    assert cells(page(frame.reset_index()[["who"]])) == [("", "Bob"), ("", "Bob")]


def test_of_rows_with_one_label_a_part_is_not_mixed_up(wishing):
    frame = asked(wishing, WISH, NOTATION, ["Bob", "a Bob"], index=["x", "x"])
    assert all("copied" in title for title, _ in cells(page(frame[["who"]])))
    assert cells(page(frame[1:][["who"]])) == [("", "Bob")]
    assert "characters 2 to 5" in cells(page(frame[1:]))[1][0]  # the text tells which it is


def test_rows_that_failed_say_why(wishing):
    frame = asked(wishing, {"n": 1}, "n: int", ["a", 7, "b"])
    told = cells(page(frame[["n"]]))
    assert [text for _, text in told] == ["1", "failed", "1"]
    assert "has no attribute 'strip'" in told[1][0]
    assert told[1][0].startswith("failed: ")


def test_items_of_a_list_are_rows_with_their_own_facts(wishing):
    items = [{"who": "Ann"}, {"who": "Bob"}]
    schema = {"type": "array", "items": read_schema("who: verbatim").document}
    told = cells(page(asked(wishing, items, schema)[["who"]]))
    assert [text for _, text in told] == ["Ann", "Bob"]
    assert "characters 0 to 3" in told[0][0]
    assert "characters 8 to 11" in told[1][0]


def test_rows_of_a_list_inside_have_their_confidence(wishing):
    wish = {"lines": [{"n": 1}, {"n": 2}]}
    frame = asked(wishing, wish, "lines: list[{n: int}]", rows="lines")
    told = cells(page(frame[["lines.n"]]))
    assert [text for _, text in told] == ["1", "2"]
    assert all(title.startswith("confidence (") for title, _ in told)


def test_a_frame_without_a_table_and_an_answer_without_a_schema_are_shown(wishing):
    schema = FoundSchema(read_schema("n: int"))
    frame = wishing({"n": 5}).answer(Job(("How many?",), schema, SteerOptions()))
    assert cells(page(frame))[0][1] == "5"


def test_doubtful_values_are_underlined():
    sure = (Confidence("/n", 0.4, 0.4),)
    text = view_of_run({"n": 1}, "n: int", confidence=sure, min_confidence=0.5)._repr_html_()
    assert "underlined with dashes: a confidence below 0.5" in text
    assert re.search(r'title="confidence \(40%\)"><span style="[^"]*dashed[^"]*">1</span>', text)
    surer = view_of_run({"n": 1}, "n: int", confidence=sure, min_confidence=0.4)._repr_html_()
    assert "<span" not in surer


def test_as_many_rows_and_columns_are_shown_as_pandas_would(wishing):
    frame = asked(wishing, WISH, NOTATION, ["Bob"] * 5)
    with pd.option_context("display.max_rows", 2, "display.max_columns", 3):
        text, plain = page(frame), repr(frame.steer.show())
        assert len(cells(text)) == 6
        assert "… 3 more rows: show(rows=5) has them" in text
        assert "… 3 more columns: show(columns=6)" in text
        assert "… 3 more rows: show(rows=5) has them" in plain
        assert len(cells(page(frame, rows=5, columns=6))) == 30
    with pd.option_context("display.max_rows", None):
        assert "more rows" not in page(frame)


@pytest.mark.parametrize("limit", [-1, 0, 1.5, "a"])
@pytest.mark.parametrize("name", ["rows", "columns"])
def test_a_limit_is_a_number_of_rows_or_columns(name, limit, wishing):
    frame = asked(wishing, WISH, NOTATION)
    with pytest.raises(OptionError) as caught:
        frame.steer.show(**{name: limit})
    assert str(caught.value) == f"{name} must be a whole number above 0, not {limit!r}"
    assert "Bob" in repr(frame.steer.show(rows=np.int64(1)))


def test_an_empty_frame_has_heads(wishing):
    frame = asked(wishing, WISH, NOTATION)
    assert [*heads(page(frame[:0]))] == [*frame.columns]
    assert cells(page(frame[[]])) == []


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: text[:20])
def test_nothing_in_a_frame_acts_on_the_page(hostile):
    schema = {
        "type": "object",
        "properties": {
            hostile: {"type": "string", "description": hostile},
            "list": {"type": "array"},
            "kind": {"enum": [hostile, "other"], "description": hostile},
        },
        "required": [hostile, "list", "kind"],
        "additionalProperties": False,
    }
    record = {hostile: hostile, "list": [hostile, {hostile: hostile}], "kind": hostile}
    index = pd.Index([hostile], name=f"{hostile} ")  # not the name of a column
    view = view_of_run(record, schema, hostile, index=index)
    view.frame["kind"] = ["other"]  # the title tells what it was
    text, plain = view._repr_html_(), repr(view)
    tags, attributes = markup(text)
    assert tags <= TAGS - {"a"}
    assert attributes <= ATTRIBUTES - {"href", "rel", "target"}
    assert "changed since" in text
    assert not {"\x1b", "\u202e"} & {*text, *plain}
    assert max(len(text), len(plain)) < 60_000


def test_half_a_surrogate_pair_can_be_sent():
    assert view_of_run({"list": ["\ud800"]}, "list: list[str]")._repr_html_().encode()


def test_long_texts_are_folded_and_very_long_ones_cut():
    text = view_of_run({"s": "word " * 100}, "s: str")._repr_html_()
    assert "<details>" in text.partition("</table>")[0]
    assert "word " * 100 in text
    cut = view_of_run({"s": "x" * 30_000}, "s: str")._repr_html_()
    assert "(30,000 characters, cut here)" in cut
    assert len(cut) < 15_000


def test_links_are_made_of_addresses_of_the_web():
    text = view_of_run({"to": "https://example.org/?a=1&b="}, "to: url")._repr_html_()
    assert 'href="https://example.org/?a=1&amp;b="' in text
    assert 'rel="noopener noreferrer"' in text


@pytest.mark.parametrize(
    "address", ["http://a.org", "HTTPS://a.org:80/x?y#z", "https://a.org/Köln", "http://[::1]/"]
)
def test_these_are_links(address):
    assert http_address(address) == address


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "JavaScript://a.org/%0aalert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "//a.org",
        "a.org",
        "",
        "http://",
        "http://?x",
        "http://[x",
        " http://a.org",
        "http://a.org and more",
        "http://a.org\n",
        "http://a.org/\x1b[31m",
        "http://a.org/\u202egpj",
        'http://a.org/"onmouseover="boom()',
        "https://bank.org@evil.org",
        "https://bank.org\\@evil.org",
        "https://bаnk.org",  # with a Cyrillic letter
        "https://a.org/" + "x" * 3000,
    ],
)
def test_these_are_no_links(text):
    assert http_address(text) is None


def test_the_plain_text_is_that_of_pandas(wishing):
    frame = asked(wishing, {"n": 1}, "n: int")
    assert repr(frame.steer.show()) == repr(frame)


def test_nothing_is_written_to_the_frame(wishing):
    frame = asked(wishing, WISH, NOTATION)
    before = frame.copy()
    page(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert json.dumps(frame.attrs) == json.dumps(before.attrs)


def test_dollar_signs_are_no_formulas():
    text = view_of_run({"s": "a $5 coffee and a $6 cake"}, "s: str")._repr_html_()
    assert text.startswith('<div class="tex2jax_ignore mathjax_ignore">')
