"""`make images`: the pictures of the README, of what stands in JupyterLab. No test reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

IMAGES = Path(__file__).parents[2] / "notebooks" / "images"
POST = """My order never arrived and nobody answers. I paid $49.99 two weeks ago!
@jonas_w, 3 May 2024"""
CELL = """%%steer -o first
author: verbatim
date: date | None
amount: float
currency: "EUR" | "USD"
---
Extract the post:
{{ post }}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_take(open_notebook, theme):
    setup = f"%load_ext steermagic\npost = {POST!r}"
    notebook = open_notebook([setup, CELL], theme=theme, viewport=(800, 900))
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    page.add_style_tag(content=".jp-cell-toolbar, .jp-Collapser { visibility: hidden; }")
    cell = notebook.cells.nth(1)
    view = cell.locator(".steermagic-view")
    view.locator("summary", has_text="table").click()
    view.locator("td", has_text="USD").hover()
    expect(view.locator(".steermagic-card")).to_be_visible()
    page.screenshot(path=IMAGES / f"steering_view_{theme}.png", clip=cell.bounding_box())
