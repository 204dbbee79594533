"""The schema editor in a real notebook page: edited by label and key, used by the next cell."""

import re

from playwright.sync_api import expect


def test_what_is_edited_is_what_the_next_cell_asks_for(open_notebook):
    notebook = open_notebook(
        [
            "%load_ext steermagic",
            'from steermagic import SchemaEditor\neditor = SchemaEditor("name: str")\neditor',
            "%%steer editor --view off\nAda is 36 years old.",
        ]
    )
    notebook.run(0)
    notebook.run(1)
    page = notebook.page
    page.get_by_label("Add field", exact=True).click()
    page.keyboard.type("age")
    page.keyboard.press("Tab")
    page.get_by_label("Type of age", exact=True).select_option("int")
    page.get_by_label("Move age up").click()
    expect(page.get_by_label("Preview")).to_have_text("age: int\nname: str", timeout=30_000)
    [shown] = notebook.run(2)
    assert re.search(r"age\s+name", shown)


def test_fields_are_moved_with_keys(open_notebook):
    notebook = open_notebook(
        ['from steermagic import SchemaEditor\neditor = SchemaEditor("a, b")\neditor']
    )
    notebook.run(0)
    page = notebook.page
    page.get_by_label("Name of b").focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_label("Preview")).to_have_text("b: str\na: str", timeout=30_000)


def test_a_sample_is_answered_by_the_kernel(open_notebook):
    notebook = open_notebook(
        ['from steermagic import SchemaEditor\nSchemaEditor("name: str, age: int")']
    )
    notebook.run(0)
    page = notebook.page
    page.get_by_label("Try it").click()
    page.get_by_label("Sample text").fill("Ada is 36 years old.")
    page.get_by_label("Run", exact=True).click()
    expect(page.get_by_label("Result").locator("td")).to_have_count(2, timeout=60_000)
    page.get_by_label("From an example").click()
    page.get_by_label("Example", exact=True).fill("{")
    page.get_by_label("Infer the schema").click()
    expect(page.get_by_text("the example is not JSON")).to_be_visible(timeout=30_000)


def test_it_works_on_a_dark_page_of_notebook_7(open_notebook):
    cells = ['from steermagic import SchemaEditor\neditor = SchemaEditor("name: str")\neditor']
    notebook = open_notebook(cells, app="notebooks", theme="dark")
    notebook.run(0)
    notebook.page.get_by_label("Optional: name").check()
    expect(notebook.page.get_by_label("Preview")).to_have_text("name: str | None", timeout=30_000)
