"""`df.steer.show()` and `plot()` in JupyterLab: by keyboard, and where nobody trusts them."""

from __future__ import annotations

import re

import nbformat
from playwright.sync_api import expect

USE = """
slow_model.use({"to": "https://example.org/a", "kind": "good", "said": "word " * 80})
"""
CELL = """%%steer -o out --quiet
to: url  # the address
kind: "good" | "bad"
said: str
---
Invent"""
SETUP = "%load_ext steermagic\nimport slow_model"
CELLS = [SETUP, USE, CELL, "out.steer.show()", "out.steer.plot()"]
PNG = re.compile("^data:image/png")


def test_a_shown_frame_survives_where_nobody_trusts_it(open_notebook, server):
    notebook = open_notebook(CELLS)
    for i in range(5):
        notebook.run(i)
    expect(notebook.outputs(4).locator("img")).to_have_attribute("src", PNG)
    saved = notebook.save()
    saved.cells[0].source += "\n# by somebody else"
    nbformat.write(saved, server.notebooks / "untrusted_frame.ipynb")
    output = open_notebook(name="untrusted_frame.ipynb").outputs(3)
    head, cell = output.locator("thead th").nth(1), output.locator("tbody td").first
    expect(head).to_have_attribute("title", "url: the address")
    expect(cell).to_have_attribute("title", re.compile(r"confidence \("))
    expect(cell.locator("a")).to_have_attribute("href", "https://example.org/a")
    whole = output.locator("td details > div")
    expect(whole).to_be_hidden()
    output.locator("td summary").focus()
    output.page.keyboard.press("Enter")
    expect(whole).to_be_visible()
