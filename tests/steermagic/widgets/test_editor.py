"""What is done in the editor's rows is what the schema says, live in cells."""

import json

import pytest

from steer_engine import SchemaError, read_schema, write_notation
from steermagic.widgets import panel
from steermagic.widgets.editor import SchemaEditor


@pytest.fixture
def editing(show, wishing):
    def open_editor(schema=None, wish=None):
        editor = SchemaEditor(schema, session=wishing(wish or {}))
        return editor, show(editor.widget)

    return open_editor


def compact(editor):
    return write_notation(editor.schema)


def test_a_new_editor_has_one_field():
    assert compact(SchemaEditor()) == "name: str"


def test_a_field_is_added_named_and_typed(editing):
    editor, tool = editing("name: str")
    tool.click("Add field")
    tool.page.keyboard.type("age")  # the new name is selected
    tool.page.keyboard.press("Tab")
    tool.sync()
    tool.choose("Type of age", "int")
    tool.click("More about age")
    tool.fill("Lower bound of age", "0")
    tool.fill("Upper bound of age", "120")
    tool.fill("Default of age", "18")
    tool.fill("Description of age", "in years")
    tool.click("Optional: age")
    assert compact(editor) == "name: str\nage: int 0..120 | None = 18  # in years"
    assert "age: int 0..120 | None = 18" in tool.text()


def test_edits_are_known_before_what_is_asked_next(editing):
    """Notebooks hold a state back while the kernel works, but no messages."""
    editor, tool = editing("name: str", wish={"name": "Ada"})
    tool.click("Try it")
    tool.label("Sample text").fill("Ada")
    tool.label("Description of name").fill("of a person")
    tool.label("Run").click()
    tool.sync_messages()
    assert compact(editor) == "name: str  # of a person"
    [prompted] = [editor._session.last_run().job.found.schema]
    assert prompted == editor.schema


def test_a_click_right_after_a_name_was_typed_is_heeded(editing):
    """The rows were drawn anew between its press and its release."""
    editor, tool = editing("a, b")
    tool.label("Name of a").fill("author")
    tool.click("Add field")
    assert compact(editor) == "author: str\nb: str\nfield_3: str"
    tool.page.keyboard.type("c")  # the new name is selected
    tool.click("More about field_3")
    assert tool.label("Lower bound of c").is_visible()


def test_the_keyboard_goes_on_from_a_name_that_was_typed(editing):
    _, tool = editing("a, b")
    tool.label("Name of a").fill("author")
    tool.press("Tab")
    tool.label("Type of author").wait_for()
    assert tool.focused() == "Type of author"


def test_without_its_kernel_the_editor_says_so(editing):
    _, tool = editing("a, b")
    tool.click("Try it")
    tool.label("Sample text").fill("Ada")
    tool.lose_kernel()
    tool.label("Run").click()
    assert "the kernel that this belongs to is gone; run the cell again" in tool.status()
    assert tool.label("Run").is_disabled()
    assert not tool.label("Stop").is_visible()


def test_fields_are_moved_with_buttons_and_keys_and_keep_the_focus(editing):
    editor, tool = editing("a, b, c")
    tool.click("Move c up")
    assert [*editor.schema.document["properties"]] == ["a", "c", "b"]
    tool.press("Enter")
    assert [*editor.schema.document["properties"]] == ["c", "a", "b"]
    tool.label("Name of b").focus()
    tool.press("Alt+ArrowUp")
    tool.press("Alt+ArrowUp")
    assert [*editor.schema.document["properties"]] == ["b", "c", "a"]
    assert editor.schema.document["required"] == ["b", "c", "a"]
    assert tool.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Name of b"


def test_a_field_is_deleted_and_brought_back(editing):
    editor, tool = editing("a, b")
    tool.click("Delete a")
    assert compact(editor) == "b: str"
    tool.click("Undo")
    assert compact(editor) == "a: str\nb: str"


def test_objects_lists_choices_and_patterns(editing):
    editor, tool = editing("buyer: str")
    tool.choose("Type of buyer", "object")
    tool.click("Add field to buyer")
    tool.fill("Name of buyer.field_2", "tags")
    tool.choose("Type of buyer.tags", "list of")
    tool.choose("Item type of buyer.tags", "choices")
    tool.fill("Choices of buyer.tags", 'red, "dark, blue", 3')
    tool.click("Add field")
    tool.choose("Type of field_2", "list of")
    tool.choose("Item type of field_2", "object")
    tool.choose("Type of field_2.name", "pattern")
    tool.fill("Pattern of field_2.name", "[a-z]+")
    assert compact(editor) == (
        'buyer: {\n    name: str\n    tags: list["red" | "dark, blue" | 3]\n}\n'
        "field_2: list[{\n    name: /[a-z]+/\n}]"
    )


def test_the_answer_becomes_a_list_of_rows_and_back(editing):
    editor, tool = editing("a: int")
    tool.click("List of rows")
    assert compact(editor) == "[\n    a: int\n]"
    tool.fill("Name of a", "b")
    tool.click("List of rows")
    assert compact(editor) == "b: int"


def test_a_schema_that_refers_to_itself_is_not_made_a_list(editing):
    kids = {"type": "array", "items": {"$ref": "#"}}
    schema = {"type": "object", "properties": {"v": {"type": "integer"}, "kids": kids}}
    editor, tool = editing(schema)
    assert tool.label("List of rows").is_disabled()
    editor.schema = "a: int"
    tool.sync()
    assert tool.label("List of rows").is_enabled()


def test_what_cannot_be_drawn_is_text_that_stays(editing):
    schema = {
        "type": "object",
        "title": "T",
        "properties": {"n": {"type": "string"}, "x": {"not": {"type": "number", "minimum": 1.0}}},
        "if": {"required": ["n"]},
    }
    editor, tool = editing(schema)
    assert json.loads(editor.text) == schema
    assert (
        tool.label("JSON Schema of x").input_value()
        == '{"not": {"type": "number", "minimum": 1.0}}'
    )
    tool.fill("Description of n", "a name")
    changed = json.dumps(schema).replace(
        '{"type": "string"}', '{"type": "string", "description": "a name"}'
    )
    assert editor.text == changed
    tool.fill("JSON Schema of x", "true")
    assert editor.schema.document["properties"]["x"] is True


def test_a_row_of_json_says_what_the_row_said(editing):
    editor, tool = editing('a: str | None  # "the" sum')
    tool.choose("Type of a", "JSON")
    assert editor.schema == read_schema('a: str | None  # "the" sum')
    assert tool.label("Description of a").count() == 0
    assert tool.label("Optional: a").count() == 0
    tool.fill("JSON Schema of a", "true")
    assert editor.schema.document["properties"] == {"a": True}


def test_a_schema_that_is_no_object_is_edited_as_a_whole(editing):
    editor, tool = editing({"anyOf": [{"type": "integer"}, {"type": "boolean"}]})
    tool.fill("JSON Schema of the schema", '{"type": "integer"}')
    assert editor.schema == read_schema({"type": "integer"})


def test_a_problem_is_said_in_the_page_and_in_the_cell(editing):
    editor, tool = editing("a, b")
    tool.fill("Name of b", "a")
    assert "two fields are called 'a'; rename one" in tool.page.get_by_role("status").inner_text()
    with pytest.raises(SchemaError, match="two fields are called 'a'"):
        _ = editor.schema
    assert repr(editor) == "SchemaEditor with a problem: two fields are called 'a'; rename one"
    tool.click("Undo")
    assert tool.page.get_by_role("status").inner_text() == ""
    assert compact(editor) == "a: str\nb: str"


def test_of_two_views_the_one_that_is_typed_in_keeps_the_focus(editing):
    editor, tool = editing("a: str")
    tool.show_again()
    first = tool.page.locator("#root")
    first.get_by_label("Description of a", exact=True).press("End")
    for key in ("x", "Home", "y"):
        tool.press(key)
    assert editor.text.count('"description": "yx"') == 1
    first.get_by_label("Show JSON Schema").focus()
    editor.schema = "b: int"
    tool.sync()
    assert tool.page.evaluate("document.activeElement.closest('#root') !== null")


def test_python_and_the_page_see_each_others_changes(editing):
    editor, tool = editing("a: str")
    editor.schema = "b: int"
    tool.sync()
    assert tool.label("Type of b").input_value() == "int"
    editor.infer([{"c": 1.5}, {"c": 2}])
    tool.sync()
    assert tool.label("Type of c").input_value() == "float"
    assert tool.label("List of rows").is_checked()


def test_a_schema_is_inferred_from_an_example_or_a_variable(editing, monkeypatch):
    monkeypatch.setattr(panel, "_shell", lambda: type("Shell", (), {"user_ns": {"seen": {"z": 1}}}))
    editor, tool = editing()
    tool.click("From an example")
    tool.fill("Example", '{"x": "2026-01-31"}')
    tool.click("Infer the schema")
    assert compact(editor) == "x: date"
    tool.fill("Example", "seen")
    tool.click("Infer the schema")
    assert compact(editor) == "z: int"
    tool.fill("Example", "class A(BaseModel):\n    n: int | None")
    tool.click("Read as a schema")
    assert compact(editor) == "n: int | None"
    tool.fill("Example", "{")
    tool.click("Infer the schema")
    assert tool.page.get_by_role("status").inner_text().startswith("the example is not JSON")
    tool.fill("Example", " ")
    tool.click("Infer the schema")
    assert "write something into the box first" in tool.text()
    tool.fill("Example", "sen")
    tool.click("Infer the schema")
    assert "there is no variable 'sen'; did you mean 'seen'?" in tool.text()


def test_rows_that_an_example_replaced_are_brought_back(editing):
    editor, tool = editing("a, b")
    tool.click("From an example")
    tool.fill("Example", '{"x": 1}')
    tool.click("Infer the schema")
    assert compact(editor) == "x: int"
    tool.click("Undo")
    assert compact(editor) == "a: str\nb: str"
    tool.click("Delete a")
    tool.click("Infer the schema")
    tool.fill("Name of x", "y")
    tool.click("Undo")
    assert compact(editor) == "x: int"
    tool.click("Undo")
    assert compact(editor) == "b: str"


def test_a_sample_is_answered_below_it(editing):
    _, tool = editing("name: str\nage: int", wish={"name": "Ada <b>", "age": 36})
    tool.click("Try it")
    tool.label("Sample text").fill("Ada is 36")
    tool.label("Run").click()
    assert tool.page.get_by_role("status").inner_text() == "running …"
    tool.label("Stop").click()
    tool.sync()
    assert tool.interrupts == 1
    cells = tool.page.locator("td").all_inner_texts()
    assert cells == ["Ada <b>", "36"]
    assert not tool.label("Stop").is_visible()


def test_an_answer_and_a_remark_of_an_earlier_schema_are_not_taken_for_this_one(editing):
    editor, tool = editing("name: str", wish={"name": "Ada"})
    tool.click("Try it")
    tool.label("Sample text").fill("Ada")
    tool.click("Run")
    assert "of an earlier schema" not in tool.label("Result").inner_text()
    editor.infer({"born": 1815})
    editor.panel.show(note="this is the schema of the example")
    tool.sync()
    tool.fill("Name of born", "year")
    assert "of an earlier schema" in tool.label("Result").inner_text()
    assert tool.status() == ""


def test_what_there_is_to_say_of_an_answer_stands_below_it(editing, monkeypatch):
    monkeypatch.setenv("STEERMAGIC_STORE", "/dev/null/runs.sqlite")
    monkeypatch.setenv("STEERMAGIC_MAX_TOKENS", "16")
    _, tool = editing("name: str\nage: int", wish={"name": "Ada " * 30, "age": 36})
    tool.click("Try it")
    tool.label("Sample text").fill("Ada is 36")
    tool.click("Run")
    result = tool.label("Result")
    assert "the answer was cut short after" in result.locator(".sm-problem").inner_text()
    assert "rows are in memory only" in result.inner_text()


def test_the_three_forms_and_the_cell_are_copied(editing):
    editor, tool = editing("n: int")
    tool.page.evaluate("navigator.clipboard = undefined")
    tool.page.evaluate(
        "document.execCommand = () => { window.copied = document.activeElement.value; }"
    )
    for form, text in [
        ("Compact", "n: int"),
        ("Pydantic", "from pydantic import BaseModel\n\n\nclass Answer(BaseModel):\n    n: int\n"),
        ("JSON Schema", json.dumps(editor.schema.document, indent=2)),
    ]:
        tool.click(f"Show {form}")
        tool.click(f"Copy {form}")
        assert tool.page.evaluate("copied") == text
    tool.click("Copy as cell")
    assert tool.page.evaluate("copied").startswith("%%steer -o result\nn: int\n---\n")


def test_a_form_that_there_is_not_cannot_be_copied(editing):
    _, tool = editing({"not": {"type": "number"}})
    tool.click("Show Pydantic")
    assert "Pydantic cannot say this schema exactly" in tool.text()
    assert tool.label("Copy Pydantic").is_disabled()


def test_beside_a_problem_the_preview_says_of_what_it_is(editing):
    _, tool = editing("a, b")
    assert "the schema before the problem" not in tool.text()
    tool.fill("Name of b", "a")
    assert "the schema before the problem" in tool.text()


def test_a_field_named_like_a_type_has_no_colour_of_one(editing):
    _, tool = editing("date: date, time: list[time] | None, class: str")
    words = tool.page.locator(".sm-preview .sm-word")
    assert words.all_inner_texts() == ["date", "list", "time", "None", "str"]


def test_every_control_has_a_label(editing):
    _, tool = editing('a: list["x" | "y"]\nb: {c: int}')
    tool.click("More about a")
    tool.click("From an example")
    unlabelled = (
        "[...document.querySelectorAll('input,select,textarea,button')].filter(e => !e.ariaLabel)"
    )
    assert tool.page.evaluate(f"{unlabelled}.length") == 0
    labels = tool.page.evaluate(
        "[...document.querySelectorAll('[aria-label]')].map(e => e.ariaLabel)"
    )
    assert len(labels) == len({*labels})


def test_without_a_page_its_fields_are_shown():
    shown, _ = SchemaEditor("a: str  # <b>")._repr_mimebundle_()
    assert shown["text/plain"] == "SchemaEditor\na: str  # <b>"
    assert "a: str  # &lt;b&gt;" in shown["text/html"]
    assert set(shown) == {"text/plain", "text/html"}


def test_in_a_page_the_widget_is_shown(monkeypatch):
    monkeypatch.setattr(panel, "is_page", lambda: True)
    shown, _ = SchemaEditor()._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} == set(shown)
    assert "as it was when the cell ran" in shown["text/html"]


def test_a_cell_reads_the_editor_live(notebook):
    book = notebook({"name": "Ada", "age": 36})
    editor = SchemaEditor("name: str", session=book.session)
    frame = book.run("%%steer editor\nWho?", editor=editor)
    assert [*frame.columns] == ["name"]
    editor.schema = "age: int\nname: str"
    assert [*book.run("%%steer editor\nWho?").columns] == ["age", "name"]


def test_what_is_referred_to_is_drawn_and_the_schema_stays_until_it_is_edited():
    part = {"type": "object", "properties": {"mail": {"type": "string"}}}
    schema = {"$defs": {"Part": part}, "properties": {"buyer": {"$ref": "#/$defs/Part"}}}
    editor = SchemaEditor({"type": "object", **schema})
    rows = json.loads(editor.panel.widget.state)
    assert [each["kind"] for each in rows["fields"]] == ["object"]
    assert editor.schema.document == {"type": "object", **schema}
    rows["description"] = "an order"
    editor.panel.widget.state = json.dumps(rows)
    assert editor.schema.document == {
        "type": "object",
        "properties": {"buyer": part},
        "description": "an order",
    }


def test_a_run_that_is_stopped_is_a_line(interrupted):
    session = interrupted({"name": "Ada"}, text='{"name": "A')
    editor = SchemaEditor("name: str", session=session)
    editor.panel.widget._handle_custom_msg({"kind": "run", "text": "Who?", "asked": 1}, [])
    assert json.loads(editor.panel.widget.data)["problem"] == "stopped"


def test_a_pydantic_model_with_parts_is_drawn():
    from pydantic import BaseModel

    class Buyer(BaseModel):
        mail: str

    class Order(BaseModel):
        buyer: Buyer
        n: int

    editor = SchemaEditor(Order)
    rows = json.loads(editor.panel.widget.state)
    assert [each["kind"] for each in rows["fields"]] == ["object", "int"]
    assert editor.schema == read_schema(Order)
