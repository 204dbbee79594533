"""Rows are judged by rising confidence, and come back as a frame."""

import json
import re
from dataclasses import replace

import pandas as pd
import pytest

from steer_engine import Confidence
from steermagic.errors import StoreError
from steermagic.store import Store, open_store
from steermagic.widgets.review_items import items_to_review, place_of, shown_values

OVER = """\
%%steer --over mails -o found
name: verbatim
mood: "good" | "bad" | None
age: int 0..120 | None
paid: bool
tags: list[str]
---
From: {{ text }}
"""
ANSWER = {"name": "Ada", "mood": "good", "age": 36, "paid": True, "tags": ["a", "b"]}
MAILS = [f"Ada is 36, says mail {n}" for n in range(3)]


@pytest.fixture
def found(notebook):
    book = notebook(ANSWER)
    return book.run(OVER, mails=pd.DataFrame({"text": MAILS}, index=["x", "y", "z"]))


@pytest.fixture
def reviewing(found, show):
    return found, show(found.steer.review().widget)


def verdicts(frame):
    return ["" if pd.isna(each) else each for each in frame.steer.reviewed["review"]]


def go_to(tool, label):
    tool.page.get_by_role("option", name=f"Row {label},").click()
    tool.sync()


def test_before_a_review_the_frame_is_as_it_was(found):
    reviewed = found.steer.reviewed
    assert verdicts(found) == ["", "", ""]
    pd.testing.assert_frame_equal(reviewed.drop(columns="review"), found)
    assert reviewed["review"].dtype.categories.tolist() == ["accepted", "corrected", "rejected"]


def test_rows_are_judged_with_keys(reviewing):
    frame, tool = reviewing
    tool.label("Review of rows").focus()
    first = tool.page.locator("[aria-selected=true]").inner_text()
    tool.press("a")
    assert tool.page.locator("[aria-selected=true]").inner_text() != first
    tool.press("r")
    tool.press("k")
    tool.press("k")
    tool.press("u")
    tool.press("j")
    assert sorted(verdicts(frame)) == ["", "", "rejected"]
    assert "1 of 3 judged" in tool.text()
    assert tool.page.evaluate("document.activeElement.ariaLabel") == "Review of rows"


@pytest.mark.parametrize(
    ("keys", "judged"),
    [
        ("aar", ["accepted", "accepted", "rejected"]),
        ("ajr", ["accepted", "", "rejected"]),
        ("aku", ["", "", ""]),
    ],
)
def test_keys_need_not_wait_for_the_kernel(reviewing, keys, judged):
    """While it answered the first, the next were dropped."""
    _, tool = reviewing
    tool.label("Review of rows").focus()
    tool.page.keyboard.type(keys)
    for _ in keys:
        tool.sync()
    assert [each["verdict"] for each in json.loads(tool.widget.data)["items"]] == judged


def test_values_are_corrected_and_typed(reviewing):
    frame, tool = reviewing
    go_to(tool, "y")
    tool.fill("Value of name", "Grace")
    tool.fill("Value of age", "37")
    tool.choose("Value of mood", "bad")
    tool.choose("Value of paid", "false")
    tool.fill("Value of tags", '["c"]')
    row = frame.steer.reviewed.loc["y"]
    assert row.tolist() == [MAILS[1], "Grace", "bad", 37, False, ["c"], "corrected"]
    assert frame.steer.reviewed.dtypes.drop("review").equals(frame.dtypes)
    assert frame.loc["y", "name"] == "Ada"
    tool.fill("Value of age", "")
    tool.choose("Value of mood", "")
    assert frame.steer.reviewed.loc["y", ["age", "mood"]].isna().all()


def test_a_correction_has_to_be_valid(reviewing):
    frame, tool = reviewing
    go_to(tool, "x")
    tool.fill("Value of age", "121")
    assert "'121' cannot stand here: 121 is not at most 120 at /age" in tool.text()
    assert verdicts(frame) == ["", "", ""]
    tool.fill("Value of age", "old")
    assert "'old' cannot stand here" in tool.page.get_by_role("status").inner_text()
    tool.fill("Value of age", "12")
    assert tool.page.get_by_role("status").inner_text() == ""
    assert verdicts(frame)[0] == "corrected"


def test_a_correction_that_is_taken_back_is_none(reviewing):
    frame, tool = reviewing
    go_to(tool, "z")
    tool.fill("Value of age", "12")
    tool.click("Accept")  # of what it is by now
    go_to(tool, "z")
    assert verdicts(frame)[2] == "corrected"
    tool.fill("Value of age", "36")
    assert verdicts(frame)[2] == ""
    tool.click("Reject")
    assert verdicts(frame)[2] == "rejected"
    go_to(tool, "z")
    tool.click("Clear")
    assert verdicts(frame)[2] == ""


def test_an_alternative_is_one_click(reviewing):
    frame, tool = reviewing
    go_to(tool, "x")
    chip = tool.page.get_by_role("button", name=re.compile("^Set mood to bad"))
    assert chip.count() == 1
    chip.click()
    tool.sync()
    assert frame.steer.reviewed.loc["x", "mood"] == "bad"


def test_the_source_stands_beside_it_with_its_evidence(reviewing):
    _, tool = reviewing
    go_to(tool, "z")
    source = tool.label("Source text")
    assert "says mail 2" in source.inner_text()
    assert source.locator("mark.sm-copied").inner_text().startswith("Ada")
    assert source.locator("mark.sm-copied").get_attribute("title") == "name: copied from here"
    assert source.locator("mark.sm-found").inner_text().startswith("36")


@pytest.mark.parametrize(
    ("value", "text", "marked"),
    [
        (75.2, "EUR 75.20 of 75.2", "75.20"),
        (75, "1750, 75.5 and 75.", "75"),
        (-12, "a-12", "-12"),
        (12345678901234567891, "x12345678901234567891", "12345678901234567891"),
        (75.2, "175.2 or 75.21", None),
        ("Ann", "Joanne, Ann", "Ann"),
        ("so " * 200, "And " + "so " * 200, "so " * 200),
        (True, "true", "true"),
        ("", 'a ""', None),
        ("  ", "a  b", None),
        ('"Ann"', 'Ann, "Ann"', '"Ann"'),
        (5, "5", None),
        (None, "null", None),
    ],
)
def test_the_whole_of_a_number_is_marked(value, text, marked):
    """75.2 was marked inside of 75.20."""
    place = place_of(value, text)
    assert (None if place is None else text[slice(*place)]) == marked


def test_e_goes_to_the_value_and_escape_comes_back(reviewing):
    _, tool = reviewing
    tool.label("Review of rows").focus()
    tool.press("e")
    assert tool.page.evaluate("document.activeElement.ariaLabel").startswith("Value of ")
    tool.press("Escape")
    assert tool.page.evaluate("document.activeElement.ariaLabel") == "Review of rows"


def test_some_rows_of_the_frame_are_reviewed(found, show):
    tool = show(found.loc[["z"]].steer.review().widget)
    assert "0 of 1 judged" in tool.text()
    tool.click("Accept")
    assert verdicts(found) == ["", "", "accepted"]


def test_a_review_goes_on_where_it_was(found, show):
    tool = show(found.steer.review().widget)
    tool.click("Accept")
    tool = show(found.steer.review().widget)
    assert "1 of 3 judged" in tool.text()
    assert "not judged" in tool.page.locator("[aria-selected=true]").get_attribute("aria-label")


def test_the_items_of_a_list_are_judged_one_by_one(notebook, show):
    book = notebook([{"name": "Rex", "age": 3}, {"name": "Rex", "age": 4}])
    frame = book.run("%%steer --many\nname: str, age: int\n---\nInvent dogs")
    tool = show(frame.steer.review().widget)
    go_to(tool, "1 · 2")
    tool.fill("Value of name", "Fido")
    assert frame.steer.reviewed["name"].tolist() == ["Rex", "Fido"]
    assert verdicts(frame) == ["", "corrected"]


def test_rows_of_a_list_inside_have_the_verdict_of_their_record(notebook):
    book = notebook({"lines": [{"n": 1}, {"n": 2}], "review": "x"})
    cell = "%%steer --rows lines\nlines: list[{n: int}], review: str\n---\nLines?"
    frame = book.run(cell)
    review = frame.steer.review()
    review.panel._act({"kind": "judge", "number": 0, "verdict": "rejected"})
    assert frame.steer.reviewed["review_"].tolist() == ["rejected", "rejected"]
    assert review.reviewed.equals(frame.steer.reviewed)


def test_answers_that_are_texts_are_reviewed(notebook, show):
    book = notebook("praise")
    frame = book.run("%%steer --choices praise,complaint\nWhich?")
    tool = show(frame.steer.review().widget)
    tool.choose("Value of answer", "complaint")
    assert frame.steer.reviewed["answer"].tolist() == ["complaint"]


def acting(review):
    """Return what acts as the page does on the first row that is shown, or on that `number`."""

    def act(kind, number=0, **asked):
        review.panel._asked(None, {"kind": kind, "number": number, "asked": 1, **asked}, [])
        return json.loads(review.widget.data)

    return act


def test_a_correction_is_of_the_form_that_was_asked_for(notebook):
    """Any text was taken."""
    frame = notebook("AB-1234").run('%%steer --regex "[A-Z]{2}-[0-9]{4}"\nWhich?')
    act = acting(frame.steer.review())
    problem = act("correct", name="answer", text="hello")["problem"]
    assert problem.startswith("'hello' cannot stand here: the whole of it does not match [A-Z]")
    assert act("correct", name="answer", text="CD-5678")["problem"] == ""
    assert frame.steer.reviewed["answer"].tolist() == ["CD-5678"]


def test_a_correction_of_a_column_that_has_gone_says_so(notebook):
    act = acting(notebook("AB").run('%%steer --regex "[A-Z]+"\nWhich?').steer.review())
    problem = act("correct", name="buyer.name", text="Ann")["problem"]
    assert problem.startswith("buyer.name has gone")


LETTERS = json.dumps(
    {"type": "array", "items": {"enum": [*"abc"]}, "uniqueItems": True, "minItems": 2}
)


def test_a_correction_stands_beside_those_of_the_other_items(notebook):
    """Each was judged beside what was answered, and together they were not valid."""
    frame = notebook(["a", "b"]).run(f"%%steer\n{LETTERS}\n---\nWhich?")
    act = acting(frame.steer.review())
    assert act("correct", 0, name="value", text="c")["problem"] == ""
    assert "cannot stand here" in act("correct", 1, name="value", text="c")["problem"]
    assert act("correct", 1, name="value", text="a")["problem"] == ""
    for verdict in ("", "rejected"):
        problem = act("judge", 0, verdict=verdict)["problem"]
        assert "it cannot stand beside the other items" in problem
    assert frame.steer.reviewed["value"].tolist() == ["c", "a"]
    assert act("judge", 1, verdict="")["problem"] == ""
    assert act("judge", 0, verdict="")["problem"] == ""


def record_cell(fields, required=None, **more):
    """Return a cell whose answers have those fields."""
    required = [*fields] if required is None else required
    schema = {"type": "object", "properties": fields, "required": required, **more}
    return f"%%steer\n{json.dumps(schema)}\n---\nWhich?"


BILL = {"status": {"enum": ["paid", "open"]}, "amount": {"type": ["integer", "null"]}}
ONLY_PAID = {
    "if": {"properties": {"status": {"const": "paid"}}},
    "then": {"properties": {"amount": {"type": "integer"}}},
    "else": {"properties": {"amount": {"type": "null"}}},
}


def test_values_that_are_valid_only_together_are_corrected_together(notebook, show):
    """No order of single corrections led to valid ones."""
    book = notebook({"status": "open", "amount": None})
    frame = book.run(record_cell(BILL, **ONLY_PAID))
    tool = show(frame.steer.review().widget)
    assert not tool.label("Value of (all)").is_visible()
    tool.click("Value of (all), as JSON")
    tool.fill("Value of (all)", '{"status": "paid", "amount": 12}')
    assert frame.steer.reviewed.iloc[0].tolist() == ["paid", 12, "corrected"]
    tool.fill("Value of (all)", '{"amount": null, "status": "open"}')  # it stays unfolded
    assert verdicts(frame) == [""]


PERSON = {
    "name": {"type": "string"},
    "age": {"type": "integer"},
    "nick": {"type": "string"},
    "home": {"type": "object", "properties": {"city": {"type": "string"}}},
    "sex": {"enum": ["m", "f"]},
}


def test_a_value_that_may_be_missing_is_emptied(notebook):
    """It could not be, or an empty text took its place."""
    home = {"city": "Bern"}
    book = notebook({"name": "Ada", "age": 3, "nick": "A", "home": home, "sex": "f"})
    frame = book.run(record_cell(PERSON, ["name"]))
    review = frame.steer.review()
    act = acting(review)
    for name in ("age", "nick", "home", "sex", "name"):
        shown = act("correct", name=name, text="")
        assert shown["problem"] == ""
    assert reviewed_value(review) == {"name": ""}
    values = {each["name"]: each for each in shown["item"]["values"]}
    assert (values["name"]["text"], values["nick"]["text"]) == ('""', "")
    assert values["sex"]["choices"] == ["m", "f", ""]
    act("correct", name="nick", text='""')
    assert reviewed_value(review) == {"name": "", "nick": ""}


def reviewed_value(review):
    [judgement] = review._stored().values()
    return judgement.value


ODDLY_TYPED = {
    "mood": {"enum": ["", "a", None]},
    "code": {"type": ["string", "integer"]},
    "one": {"enum": ["1", 1]},
    "note": {"type": ["string", "null"]},
}


@pytest.mark.parametrize(
    "record",
    [
        {"mood": "", "code": "12", "one": "1", "note": " "},
        {"mood": None, "code": 12, "one": 1, "note": None},
        {"mood": "a", "code": "null", "one": 1, "note": "null"},
        {"mood": "a", "code": '"12"', "one": 1, "note": '"12"'},
        {"mood": "a", "code": "a\nb", "one": 1, "note": "[1]"},
    ],
)
def test_each_value_is_shown_as_a_text_that_is_read_as_it(notebook, record):
    """A text of digits was read as a number, and an empty one as null."""
    review = (
        notebook({"mood": "a", "code": "x", "one": 1, "note": "x"})
        .run(record_cell(ODDLY_TYPED))
        .steer.review()
    )
    act = acting(review)
    shown = act("correct", name="(all)", text=json.dumps(record))["item"]["values"]
    for each in shown:
        assert act("correct", name=each["name"], text=each["text"])["problem"] == ""
        assert reviewed_value(review) == record
    assert len({*shown[0]["choices"]}) == 3


def test_values_of_one_name_are_told_apart(notebook):
    """The first of that name was corrected."""
    city = {"type": ["object", "null"], "properties": {"x": {"type": "integer"}}}
    fields = {"a": {"type": "object", "properties": {"b": city}}, "a.b": {"type": "integer"}}
    review = notebook({"a": {"b": {"x": 1}}, "a.b": 5}).run(record_cell(fields)).steer.review()
    shown = acting(review)("correct", name="a.b", text="6")
    assert reviewed_value(review) == {"a": {"b": {"x": 1}}, "a.b": 6}
    names = [each["name"] for each in shown["item"]["values"]]
    assert len({*names}) == len(names)


DEAL = "%%steer\nbuyer: {name: str, city: str | None} | None, n: int\n---\nWho bought?"


def test_an_object_that_is_null_is_corrected_as_a_whole(notebook, show):
    """No order of corrections led to a valid one."""
    frame = notebook({"buyer": None, "n": 1}).run(DEAL)
    tool = show(frame.steer.review().widget)
    assert tool.label("Value of buyer.name").count() == 0
    tool.fill("Value of buyer", '{"name": "Ann"}')
    assert "'city' is a required property at /buyer" in tool.text()
    tool.fill("Value of buyer", '{"name": "Ann", "city": null}')
    tool.fill("Value of buyer.city", "Bern")
    row = frame.steer.reviewed.iloc[0]
    assert row.tolist() == ["Ann", "Bern", 1, "corrected"]


def test_an_object_is_corrected_to_null(notebook, show):
    frame = notebook({"buyer": {"name": "Ann", "city": "Bern"}, "n": 1}).run(DEAL)
    tool = show(frame.steer.review().widget)
    tool.fill("Value of buyer", "")
    assert frame.steer.reviewed.loc[0, ["buyer.name", "buyer.city"]].isna().all()
    assert tool.label("Value of buyer.name").count() == 0
    assert tool.label("Value of n").count() == 1


def test_what_is_doubtful_of_an_object_is_the_value_in_it(notebook):
    book = notebook({"a": {"b": {"x": "y"}}})
    book.run("%%steer\na: {b: {x: str} | None}\n---\nWhat?")
    run = book.session.last_run()
    sure = (Confidence("/a/b/x", 0.5, 0.5),)
    run = replace(run, rows=(replace(run.rows[0], confidence=sure),))
    [item] = items_to_review(run, {(0, -1)})
    shown = shown_values(run, item, item.value, lambda _: None)
    assert [(each["name"], each["is_doubtful"]) for each in shown] == [
        ("a", False),
        ("a.b", False),
        ("a.b.x", True),
        ("(all)", False),
    ]
    [whole] = shown_values(run, item, None, lambda _: None)
    assert (whole["name"], whole["text"], whole["is_changed"]) == ("(all)", "", True)


def test_rows_that_failed_are_not_judged(notebook):
    book = notebook(ANSWER)
    rows = [{"n": 1}, {"n": 0}]
    frame = book.run("%%steer --over rows\nname: str\n---\n{{ 1 / n }}", rows=rows)
    review = frame.steer.review()
    assert repr(review) == "Review of 1 row: 0 accepted, 0 corrected, 0 rejected"
    assert len(review.reviewed) == 2


def test_a_row_that_failed_is_one_beside_the_rows_of_a_list_inside(notebook):
    """The frame had a row that no verdict belonged to."""
    book = notebook({"lines": [{"n": 1}, {"n": 2}]})
    cell = "%%steer --over t --rows lines\nlines: list[{n: int}]\n---\nx {{ 1 / i }}"
    frame = book.run(cell, t=pd.DataFrame({"i": [1, 0, 2]}))
    review = frame.steer.review()
    review.panel._act({"kind": "judge", "number": 1, "verdict": "accepted"})
    assert frame.steer.reviewed["i"].tolist() == [1, 1, 0, 2, 2]
    assert verdicts(frame) == ["", "", "", "accepted", "accepted"]


def test_each_row_of_a_list_of_lists_has_its_verdict(notebook):
    frame = notebook([[1, 2], [3]]).run("%%steer list[list[int]]\nInvent lists")
    frame.steer.review().panel._act({"kind": "judge", "number": 1, "verdict": "rejected"})
    assert verdicts(frame) == ["", "rejected"]


ODD = {
    "name": "Teh " + "word " * 65 + "end",
    "address": "1 High St\nLondon",
    "mail": "see\r\nyou",
    "tags": [f"no {n}" for n in range(35)],
    "code": "o\u202eb",
}


@pytest.fixture
def odd(notebook, show):
    cell = "%%steer name: str, address: str, mail: str, tags: list[str], code: str\nWho?"
    frame = notebook(ODD).run(cell)
    return frame, show(frame.steer.review().widget)


def test_a_text_is_corrected_as_a_whole(odd):
    """What had been shortened to be shown took the place of the value."""
    frame, tool = odd
    for name, value in ODD.items():
        text = value if isinstance(value, str) else json.dumps(value)
        shown = tool.label(f"Value of {name}").input_value()
        assert shown == text.replace("\r\n", "\n")
        tool.fill(f"Value of {name}", shown.replace("o", "0"))
    zeros = json.loads(json.dumps([*ODD.values()]).replace("o", "0"))
    assert frame.steer.reviewed[[*ODD]].iloc[0].tolist() == zeros


def test_a_text_that_was_not_changed_is_no_correction(odd):
    frame, tool = odd
    for name in ODD:
        field = tool.label(f"Value of {name}")
        field.press("End")
        field.press("!")
        field.press("Backspace")
        field.blur()
        tool.sync()
    assert verdicts(frame) == [""]


def test_a_text_of_several_lines_gets_another_one_with_enter(odd):
    frame, tool = odd
    tool.label("Value of address").press("Control+End")
    tool.page.keyboard.press("Enter")
    tool.page.keyboard.type("UK")
    tool.label("Value of address").blur()
    tool.sync()
    assert frame.steer.reviewed.loc[0, "address"] == "1 High St\nLondon\nUK"


def test_what_is_typed_while_the_kernel_answers_stays(odd):
    frame, tool = odd
    tool.label("Value of code").press("End")
    tool.page.keyboard.type("!")
    tool.label("Value of mail").press("Control+End")  # and the answer is on its way
    tool.page.keyboard.type(", Ann")
    tool.sync()
    assert tool.label("Value of mail").input_value() == "see\nyou, Ann"
    tool.page.keyboard.type("!")
    tool.label("Value of mail").blur()
    tool.sync()
    assert frame.steer.reviewed.loc[0, ["code", "mail"]].tolist() == [
        "o\u202eb!",
        "see\r\nyou, Ann!",
    ]


def test_of_long_choices_all_is_sent(notebook, show):
    long, odd = "so " * 150 + "on", "x\u202ey"
    fields = {"m": {"enum": [long, odd, "z"]}}
    schema = json.dumps({"type": "object", "properties": fields, "required": ["m"]})
    frame = notebook({"m": odd}).run(f"%%steer\n{schema}\n---\nWhich?")
    tool = show(frame.steer.review().widget)
    assert tool.label("Value of m").input_value() == odd
    tool.page.get_by_role("button", name=re.compile("^Set m to so so .* … ")).click()
    tool.sync()
    assert frame.steer.reviewed["m"].tolist() == [long]
    assert tool.label("Value of m").input_value() == long


def test_all_of_a_longer_source_can_be_read(notebook, show):
    text = "Dear all, " + "nothing of it is left out. " * 100
    frame = notebook({"name": "Ada"}).run(
        "%%steer --over mails\nname: str\n---\nWho? {{ text }}", mails=[{"text": text}]
    )
    tool = show(frame.steer.review().widget)
    assert text.strip() in tool.label("Source text").inner_text()


def test_a_row_that_is_not_there_is_refused(found):
    widget = found.steer.review().widget
    widget.state = "7"
    assert json.loads(widget.data)["problem"] == "there is no row '7' to review"


def test_what_is_judged_is_kept_in_the_store(notebook, tmp_path):
    book = notebook(ANSWER)
    store = tmp_path / "runs.sqlite"
    frame = book.run(f"%%steer --store {store}\nname: str\n---\nWho?")
    review = frame.steer.review()
    review.panel._act({"kind": "correct", "number": 0, "name": "name", "text": "Grace"})
    run = book.session.last_run()
    [(key, judgement)] = book.session.store(str(store)).judgements(run.id).items()
    assert (key, judgement.verdict, judgement.value) == ((0, -1), "corrected", {"name": "Grace"})
    book.session.store(str(store)).prune(keep=0)
    assert book.session.store(str(store)).judgements(run.id) == {}


def test_without_a_page_the_frame_is_shown(found):
    shown, _ = found.steer.review()._repr_mimebundle_()
    assert shown["text/plain"] == "Review of 3 rows: 0 accepted, 0 corrected, 0 rejected"
    assert "<table" in shown["text/html"]
    assert set(shown) == {"text/plain", "text/html"}


def test_a_review_knows_what_another_one_judged(found):
    """It undid a later correction, without a word."""
    first, second = found.steer.review(), found.steer.review()
    act = acting(first)
    first.panel.widget.state = "1"
    shown = acting(second)("correct", 1, name="name", text="Grace")
    assert repr(first) == repr(second) == "Review of 3 rows: 0 accepted, 1 corrected, 0 rejected"
    pd.testing.assert_frame_equal(first.reviewed, second.reviewed)
    refused = act("judge", 1, verdict="accepted")
    assert refused["problem"] == "it was judged elsewhere since; look at it again"
    assert (refused["items"], refused["item"]) == (shown["items"], shown["item"])
    assert first.panel.widget.state == "1"
    act("judge", 1, verdict="accepted")
    assert found.steer.reviewed["name"].tolist().count("Grace") == 1
    acting(second)("judge", 1, verdict="")
    first.panel.widget.state = "1"
    assert json.loads(first.panel.widget.data)["items"][1]["verdict"] == ""


def test_what_is_judged_is_kept_where_the_store_was_deleted(notebook, tmp_path):
    """It went into a file that nobody could open any more."""
    store = tmp_path / "runs.sqlite"
    book = notebook(ANSWER)
    frame = book.run(f"%%steer --store {store}\nname: str\n---\nWho?")
    review = frame.steer.review()
    act = acting(review)
    for each in tmp_path.iterdir():
        each.unlink()
    assert act("correct", name="name", text="Grace")["problem"] == ""
    assert frame.steer.reviewed["name"].tolist() == ["Grace"]
    run_id = book.session.last_run().id
    assert len(open_store(str(store)).judgements(run_id)) == 1


def test_what_was_judged_before_the_store_was_deleted_is_put_into_the_next(notebook, tmp_path):
    """It was lost, and its rows were said to be judged elsewhere."""
    store = tmp_path / "runs.sqlite"
    book = notebook(ANSWER)
    frame = book.run(OVER.replace("--over", f"--store {store} --over"), mails=[{"text": "Ada"}] * 3)
    review = frame.steer.review()
    act = acting(review)
    for number in range(2):
        act("judge", number, verdict="rejected")
    for each in tmp_path.iterdir():
        each.unlink()
    assert act("judge", 0, verdict="accepted")["problem"] == ""
    assert sorted(verdicts(frame)) == ["", "accepted", "rejected"]
    assert repr(review) == "Review of 3 rows: 1 accepted, 0 corrected, 1 rejected"


def test_while_the_store_cannot_be_reached_no_verdict_is_taken(notebook, tmp_path):
    """It went to memory without a word, and was gone when the file was back."""
    folder, aside = tmp_path / "kept", tmp_path / "aside"
    book = notebook(ANSWER)
    cell = OVER.replace("--over", f"--store {folder}/runs.sqlite --over")
    frame = book.run(cell, mails=[{"text": "Ada"}] * 3)
    review = frame.steer.review()
    act = acting(review)
    act("judge", 0, verdict="accepted")
    folder.rename(aside)
    folder.touch()
    shown = act("judge", 1, verdict="rejected")
    assert shown["problem"].startswith("the run store ")
    assert [each["verdict"] for each in shown["items"]] == ["accepted", "", ""]
    review.panel.widget.state = "2"
    shown = json.loads(review.widget.data)
    assert (shown["item"]["number"], shown["problem"][:13]) == (2, "the run store")
    counts = "Review of 3 rows: 1 accepted, 0 corrected, 0 rejected"
    assert repr(review).startswith(f"{counts}; the run store ")
    assert "<table" in review._repr_mimebundle_()[0]["text/html"]
    with pytest.raises(StoreError):
        review.reviewed  # noqa: B018 - a property
    late = json.loads(frame.steer.review().widget.data)
    assert late["problem"].startswith("the run store ")
    folder.unlink()
    aside.rename(folder)
    assert act("judge", 1, verdict="rejected")["problem"] == ""
    assert sorted(verdicts(frame)) == ["", "accepted", "rejected"]
    assert repr(review) == "Review of 3 rows: 1 accepted, 0 corrected, 1 rejected"


def test_a_verdict_shows_the_next_row_once(found, monkeypatch):
    review = found.steer.review()
    act = acting(review)
    shown = []
    monkeypatch.setattr(review, "_show", shown.append)
    for number in range(3):
        act("judge", number, verdict="accepted")
    assert shown == [1, 2, 2]


def test_a_verdict_that_cannot_be_kept_stays_in_sight(found, show, monkeypatch):
    """The page went on to the next row, which took the reason away."""
    tool = show(found.steer.review().widget)
    first = tool.page.locator("[aria-selected=true]").inner_text()

    def full(*_):
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "judge", full)
        tool.click("Accept")
    tool.sync()
    assert tool.page.get_by_role("status").inner_text() == "the disk is full"
    assert tool.page.locator("[aria-selected=true]").inner_text() == first
    tool.click("Accept")
    tool.sync()
    assert tool.page.get_by_role("status").inner_text() == ""
    assert tool.page.locator("[aria-selected=true]").inner_text() != first


@pytest.mark.parametrize(("typed", "verdict"), [("121", ""), ("12", "corrected")])
def test_a_verdict_waits_for_the_correction_ahead_of_it(reviewing, typed, verdict):
    """The old value was accepted where the correction was refused."""
    frame, tool = reviewing
    go_to(tool, "x")
    tool.label("Value of age").fill(typed)
    tool.click("Accept")
    tool.sync()
    assert verdicts(frame)[0] == verdict
    is_refused = not verdict
    assert ("cannot stand here" in tool.page.get_by_role("status").inner_text()) == is_refused
    selected = tool.page.locator("[aria-selected=true]").get_attribute("aria-label")
    assert selected.startswith("Row x,") == is_refused


@pytest.mark.parametrize(("typed", "verdict"), [("121", ""), ("12", "corrected")])
def test_a_click_is_heeded_where_the_answer_comes_before_its_release(reviewing, typed, verdict):
    """The button was replaced under the mouse."""
    frame, tool = reviewing
    go_to(tool, "x")
    tool.label("Value of age").fill(typed)
    tool.press_down("Accept")
    tool.sync()
    tool.page.mouse.up()
    tool.page.wait_for_timeout(50)
    tool.sync()
    assert verdicts(frame)[0] == verdict
    assert ("cannot stand here" in tool.status()) == (not verdict)
    selected = tool.page.locator("[aria-selected=true]").get_attribute("aria-label")
    assert selected.startswith("Row x,") == (not verdict)


def test_columns_come_and_go_around_what_is_typed(notebook, show):
    frame = notebook({"buyer": {"name": "Ann", "city": "Bern"}, "n": 1}).run(DEAL)
    tool = show(frame.steer.review().widget)
    tool.label("Value of buyer").fill("")
    tool.label("Value of n").fill("7")  # before the kernel has answered
    tool.sync()
    names = tool.page.locator(".sm-values .sm-name").all_inner_texts()
    assert [name.split(" ")[0] for name in names] == ["buyer", "n", "(all)"]
    assert tool.focused() == "Value of n"
    tool.label("Value of n").blur()
    tool.sync()
    assert frame.steer.reviewed.loc[0, "n"] == 7


def test_what_is_typed_into_a_column_that_goes_is_told(notebook, show):
    frame = notebook({"buyer": {"name": "Ann", "city": "Bern"}, "n": 1}).run(DEAL)
    tool = show(frame.steer.review().widget)
    tool.label("Value of buyer").fill("")
    tool.label("Value of buyer.name").fill("Bob")
    tool.sync()
    assert tool.status().startswith("buyer.name has gone with another correction")
    assert tool.label("Value of buyer.name").count() == 0
    assert "undefined" not in tool.text()


def test_without_its_kernel_the_review_says_so(reviewing):
    _, tool = reviewing
    tool.label("Review of rows").focus()
    tool.lose_kernel()
    first = tool.page.locator("[aria-selected=true]").inner_text()
    tool.page.keyboard.type("aj")
    assert "run the cell again" in tool.status()
    assert tool.page.locator("[aria-selected=true]").inner_text() == first


def test_its_html_is_there_where_pandas_shows_none(found):
    with pd.option_context("display.notebook_repr_html", False):
        html = found.steer.review()._repr_mimebundle_()[0]["text/html"]
    assert "<table" in html
    assert "mathjax_ignore" in html


def test_a_review_of_a_part_counts_and_shows_that_part(found):
    act = acting(found.steer.review())
    for number in range(3):
        act("judge", number, verdict="accepted")
    part = found.iloc[1:2].steer.review()
    assert repr(part) == "Review of 1 row: 1 accepted, 0 corrected, 0 rejected"
    html = part._repr_mimebundle_()[0]["text/html"]
    assert MAILS[1] in html
    assert MAILS[0] not in html
    assert len(part.reviewed) == 3


def test_every_control_has_a_label(reviewing):
    _, tool = reviewing
    labels = tool.page.evaluate(
        "[...document.querySelectorAll('input,select,button,[role=option]')].map(e => e.ariaLabel)"
    )
    assert all(labels)
    assert len(labels) == len({*labels})
