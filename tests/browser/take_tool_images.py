"""`make images`: the pictures of the tools, of what stands in JupyterLab. No test reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

IMAGES = Path(__file__).parent.parent.parent / "notebooks/images"
POST = (
    "Complaint by Marta Silva, 2 May 2024: my kettle leaks. I paid 34.90 EUR. Category: complaint."
)
IMPORT = "%load_ext steermagic\nfrom steermagic import SchemaEditor, playground"
SCHEMA = """\
author: verbatim            # who wrote the post
amount: float 0.. | None    # the price that was paid
day: date | None            # when it was posted
category: "praise" | "complaint" | "question"
"""
CONTACT = "contact: {mail: email | None, phone: /\\\\+?[0-9 ]{6,}/ | None}"
MAILS = [
    "Selling my mountain bike, hardly used. €340, pick up in Ghent. Jonas Peeters, 2 March 2024",
    "Stolen: green Peugeot bike, market square, Delft, 3 Aug 2024. Reward 100 euro. @joostdelft",
    "Wanted - second-hand desk, up to 80 EUR. Ana Ruiz, 5 April 2024",
    "Lost: a grey scarf on the tram near Central Station, 14/03/2024. Aisha Khan",
    "I sell my old record player for 95,00 €. Collection only, Hamburg. J. Brandt",
]


@pytest.fixture(params=["light", "dark"])
def take(open_notebook, request):
    """Returns the page of some cells, and what takes its picture."""

    def open_page(name, *cells):
        viewport = (1000, 1100)
        notebook = open_notebook([IMPORT, *cells], theme=request.param, viewport=viewport)
        for number in range(len(cells) + 1):
            notebook.run(number)
        tool = notebook.page.locator(".sm")
        suffix = "" if request.param == "light" else "_dark"
        path = IMAGES / f"{name}{suffix}.png"
        return notebook.page, lambda: tool.screenshot(path=path)

    return open_page


def test_schema_editor(take):
    page, shoot = take("schema_editor", f'SchemaEditor("""{SCHEMA}{CONTACT}""")')
    page.get_by_label("Try it").click()
    page.get_by_label("Sample text").fill(POST)
    page.get_by_label("Run", exact=True).click()
    expect(page.get_by_label("Result").locator("td")).to_have_count(6, timeout=60_000)
    page.get_by_label("Name of author", exact=True).focus()
    shoot()


def test_playground(take):
    page, shoot = take("playground", f'playground("""{SCHEMA}""", """Extract the post:\n{POST}""")')
    page.get_by_label("Temperature of B").fill("0.9")
    page.get_by_label("Seed of B").fill("4")
    page.get_by_label("Run all", exact=True).click()
    expect(page.get_by_label("Answer of B").locator("td")).to_have_count(4, timeout=60_000)
    shoot()


def test_review(take):
    cell = f'%%steer --over posts -o found --quiet\n{SCHEMA}kind: "offer" | "wanted" | "lost"'
    cell += "\n---\nExtract the post:\n{{ text }}"
    page, shoot = take("review", f"posts = {MAILS!r}", cell, "found.steer.review()")
    page.get_by_label("Review of rows", exact=True).focus()
    page.keyboard.press("a")
    expect(page.get_by_text("1 of 5 judged")).to_be_visible(timeout=30_000)
    page.keyboard.press("r")
    expect(page.get_by_text("2 of 5 judged")).to_be_visible(timeout=30_000)
    shoot()
