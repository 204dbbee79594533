"""`make images`: the pictures of the README, of what stands in JupyterLab. No test reads them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from pictures import keep

MAIL = """My name is Jonas Weber. On 3 May 2024 I paid $49.99 for a lamp that is broken.
Please answer to j.weber@example.org"""
CELL = """%%steer -o first
name: verbatim
answer_to: email
date: date
amount: float
product: /[A-Z][a-z]+/  # what is broken, in one word
---
Extract the complaint:
{{ mail }}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_take(open_notebook, theme):
    setup = f"%load_ext steermagic\nmail = {MAIL!r}"
    notebook = open_notebook([setup, CELL], theme=theme, viewport=(900, 900))
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    page.add_style_tag(content=".jp-cell-toolbar, .jp-Collapser { visibility: hidden; }")
    cell = notebook.cells.nth(1)
    view = cell.locator(".steermagic-view")
    view.locator("summary", has_text="table").click()  # moves the text out from under the card
    overruled = view.locator("[data-place='0/product'][data-origin=narrowed]").first
    expect(overruled).to_have_text("L")
    overruled.hover()
    expect(view.locator(".steermagic-card")).to_be_visible()
    keep(page.screenshot(clip=cell.bounding_box()), f"steering_view_{theme}")
