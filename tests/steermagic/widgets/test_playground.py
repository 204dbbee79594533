"""One prompt and one schema under two settings, and the cell that does the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import Engine, read_schema
from steer_engine.backends.fake import FakeBackend
from steermagic.cell import read_cell
from steermagic.errors import OptionError
from steermagic.schemas import find_schema
from steermagic.session import Session
from steermagic.widgets import panel
from steermagic.widgets.editor import SchemaEditor
from steermagic.widgets.playground import playground
from steermagic.widgets.playground_cells import NAMES, read_setting, read_state, written_cell

models = st.sampled_from(
    ["", "embedded", "a b.gguf", "http://h:1?parallel=2#n", 'a"b c.gguf', "-m"]
)
settings = st.fixed_dictionaries(
    {
        "model": models,
        "temperature": st.sampled_from(["", "0", "0.7 "]),
        "top_p": st.sampled_from(["", "0.9"]),
        "min_p": st.sampled_from(["", "0.05"]),
        "seed": st.sampled_from(["", "-3", "7"]),
        "max_tokens": st.sampled_from(["", "64"]),
    }
)


@given(
    settings, st.sampled_from(["a: int", "{\n}", "Person"]), st.sampled_from(["Who?", "a\n---\nb"])
)
def test_a_copied_cell_asks_the_same(setting, schema, prompt):
    line, _, body = written_cell(schema, prompt, setting).partition("\n")
    cell = read_cell(line.removeprefix("%%steer"), body, {})
    assert cell.options == read_setting(setting, {})
    assert cell.schema.text == schema
    assert cell.prompt == prompt


@pytest.mark.parametrize(
    "schema",
    [
        "\n    name: str\n    age: int | None\n",
        "    name: str\n    age: int | None\n  ",
        "\n    name: str\n  # in years\n    age: int | None",
    ],
)
def test_a_cell_reads_a_schema_that_was_indented_as_the_playground_does(schema):
    _, _, body = written_cell(schema, "Who?", dict.fromkeys(NAMES, "")).partition("\n")
    found = find_schema(read_cell("", body, {}).schema, {})
    assert found.schema == read_schema("name: str\nage: int | None")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "", "prompt": "", "settings": [1]}'])
def test_a_state_that_is_none_is_refused(text):
    with pytest.raises(OptionError, match="the playground's settings cannot be read"):
        read_state(text)


WISH = {"name": "Ada", "age": 36}


@pytest.fixture
def playing(show):
    """A playground whose model `b` answers otherwise than all others."""

    def open_playground(schema="name: str\nage: int", prompt="Who?", *, wish=WISH, **options):
        wishes = {"b": {"name": "Bob", "age": 36}}
        session = Session(lambda spec: Engine(FakeBackend(json.dumps(wishes.get(spec, wish)))))
        made = playground(schema, prompt, session=session, **options)
        return made, show(made.widget)

    return open_playground


def answers(tool, name):
    return tool.label(f"Answer of {name}").locator("td > span > span:first-child").all_inner_texts()


def test_two_settings_are_answered_side_by_side(playing):
    _, tool = playing()
    tool.fill("Model of B", "b")
    tool.click("Run all")
    assert answers(tool, "A") == ["Ada", "36"]
    assert answers(tool, "B") == ["Bob", "36"]
    differing = tool.page.locator(".sm-differs")
    assert differing.all_inner_texts() == ["Bob"]
    assert "tokens" in tool.label("Answer of A").inner_text()


def test_dates_and_numbers_stay_on_one_line(playing):
    _, tool = playing("when: str\nsaid: str", wish={"when": "2024-05-03", "said": "a b " * 20})
    tool.click("Run A")
    tool.page.set_viewport_size({"width": 320, "height": 700})
    values = tool.label("Answer of A").locator("td > span > span:first-child")
    lines = values.evaluate_all("all => all.map((each) => each.getClientRects().length > 1)")
    assert lines == [False, True]


def test_one_setting_runs_alone_with_its_sampling(playing):
    made, tool = playing()
    tool.fill("Temperature of A", "0.7")
    tool.fill("Seed of A", "5")
    tool.click("Run A")
    assert answers(tool, "A") == ["Ada", "36"]
    assert answers(tool, "B") == []
    options = made._session.last_run().job.options
    assert (options.temperature, options.seed) == (0.7, 5)
    assert made.cell(0) == "%%steer --temperature 0.7 --seed 5\nname: str\nage: int\n---\nWho?"


def test_what_is_wrong_stands_below_its_setting(playing):
    _, tool = playing()
    tool.fill("Temperature of B", "warm")
    tool.click("Run all")
    assert answers(tool, "A") == ["Ada", "36"]
    assert "--temperature must be a number, not 'warm'" in tool.label("Answer of B").inner_text()
    tool.fill("Schema", "")
    tool.click("Run A")
    assert "write a schema and a prompt first" in tool.label("Answer of A").inner_text()
    tool.fill("Schema", "name: strr")
    tool.click("Run A")
    assert "did you mean 'str'?" in tool.label("Answer of A").inner_text()


def test_an_answer_that_was_cut_short_is_marked(playing):
    _, tool = playing(wish={"name": "Ada " * 30, "age": 36})
    tool.fill("Max tokens of A", "16")
    tool.click("Run all")
    said = "the answer was cut short after"
    assert said in tool.label("Answer of A").locator(".sm-problem").inner_text()
    assert said not in tool.label("Answer of B").inner_text()


def test_keys_run_it_and_a_run_can_be_stopped(playing):
    _, tool = playing()
    tool.label("Prompt").focus()
    tool.page.keyboard.press("Control+Enter")
    assert tool.label("Run all").is_disabled()
    tool.label("Stop").click()
    tool.sync()
    assert tool.interrupts == 1
    assert answers(tool, "B") == ["Ada", "36"]


def test_what_is_run_is_what_stands_there(playing):
    """Notebooks hold a state back while the kernel works, but no messages."""
    made, tool = playing()
    tool.label("Prompt").fill("Who else?")
    tool.label("Run A").click()
    tool.sync_messages()
    assert made._session.last_run().job.prompts == ("Who else?",)


def test_a_stop_ends_all_that_was_asked_for(interrupted):
    made = playground("name: str", "Who?", session=interrupted({"name": "Ada"}, text='{"name": "A'))
    asked = {"kind": "run", "settings": [0, 1], "asked": 1}
    made.panel.widget._handle_custom_msg(asked, [])
    first, second = json.loads(made.panel.widget.data)["answers"]
    assert (first["problem"], second) == ("stopped", None)


def test_an_answer_to_another_question_says_so_and_is_not_compared(playing):
    _, tool = playing()
    tool.fill("Model of B", "b")
    tool.click("Run all")
    tool.fill("Prompt", "Who else?")
    said = "of an earlier prompt, schema or setting"
    assert said in tool.label("Answer of A").inner_text()
    tool.click("Run A")
    assert said not in tool.label("Answer of A").inner_text()
    assert said in tool.label("Answer of B").inner_text()
    assert tool.page.locator(".sm-differs").count() == 0
    tool.click("Run B")
    assert tool.page.locator(".sm-differs").all_inner_texts() == ["Bob"]


def test_without_its_kernel_the_playground_says_so(playing):
    _, tool = playing()
    tool.page.evaluate("model.tell('comm_live_update')")
    assert "run the cell again" in tool.status()
    assert tool.label("Run all").is_disabled()


def test_names_of_the_notebook_are_known(playing, monkeypatch):
    names = {"who": "Ada", "Person": {"type": "object", "properties": {"name": {"type": "string"}}}}
    monkeypatch.setattr(panel, "_shell", lambda: type("Shell", (), {"user_ns": names}))
    made, tool = playing("Person", "Who is {{ who }}?")
    tool.click("Run A")
    assert answers(tool, "A") == ["Ada"]
    assert "Who is Ada?" in made._session.last_run().job.prompts[0]
    tool.fill("Prompt", "Who is {{ whom }}?")
    tool.click("Run A")
    assert "did you mean 'who'?" in tool.label("Answer of A").inner_text()


def test_a_cell_is_copied_as_the_page_has_it(playing):
    _, tool = playing()
    tool.page.evaluate(
        "document.execCommand = () => { window.copied = document.activeElement.value; }"
    )
    tool.fill("Prompt", "Who was it?")
    tool.fill("Model of B", "b")
    tool.click("Copy B as cell")
    assert tool.page.evaluate("copied") == "%%steer -m b\nname: str\nage: int\n---\nWho was it?"


def test_every_control_has_a_label_of_its_own(playing):
    _, tool = playing()
    labels = tool.page.evaluate(
        "[...document.querySelectorAll('input,textarea,button')].map(e => e.ariaLabel)"
    )
    assert all(labels)
    assert len(labels) == len({*labels})


def test_another_view_sees_what_is_typed(playing):
    _, tool = playing()
    state = json.loads(tool.widget.state)
    tool.widget.state = json.dumps({**state, "prompt": "Who else?"})
    tool.sync()
    assert tool.label("Prompt").input_value() == "Who else?"


def test_schemas_of_any_kind_are_written_into_the_box():
    editor = SchemaEditor("a: int")
    open_object = {"type": "object", "minProperties": 1}
    assert read_state(playground(editor)._state)[0] == "a: int"
    assert read_state(playground()._state)[0].startswith("name: str")
    assert json.loads(read_state(playground(open_object)._state)[0]) == open_object


def test_without_a_page_its_cells_are_shown():
    shown, _ = playground("a: str", "<b>?", models=(None, "b"))._repr_mimebundle_()
    assert shown["text/plain"] == (
        "Playground\n\n%%steer\na: str\n---\n<b>?\n\n%%steer -m b\na: str\n---\n<b>?"
    )
    assert "&lt;b&gt;?" in shown["text/html"]
    assert set(shown) == {"text/plain", "text/html"}
    assert {*NAMES} == {*read_state(playground()._state)[2][0]}
