"""`make images`: the pictures of the tools, of what stands in JupyterLab. No test reads them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from pictures import keep

MAILS = """\
My name is Jonas Weber. On 3 May 2024 I paid $49.99 for a lamp. j.weber@example.org
Hello, Marta Silva here. The kettle leaks. 34.90 EUR on 2 May 2024. marta.silva@example.com
On June 7, 2024 I paid $120.00 for a chair without a leg. Peter Okafor, p.okafor@example.net
Please send my money back: 18.50 EUR, paid on 12 April 2024. Ana Ruiz, ana@ruiz.example
The phone case I got is not black. 15.00 USD on 2024-07-02. Lena Fischer (lena@example.org)
This is Aisha Khan, aisha.khan@example.com. On 14 March 2024 you charged me $75.25 twice!
""".splitlines()
MAIL = MAILS[0]
IMPORT = "%load_ext steermagic\nfrom steermagic import SchemaEditor, playground"
SCHEMA = """\
name: verbatim
mail: email
date: date
amount: float
currency: "EUR" | "USD"
"""
NESTED = """\
sender: {name: verbatim  # who wrote the mail
  mail: email}
day: date             # when it was paid
amount: float 0..     # what was paid
currency: "EUR" | "USD"
"""


@pytest.fixture(params=["light", "dark"])
def take(open_notebook, request):
    """Returns the page of some cells, and what takes its picture."""

    def open_page(name, *cells):
        viewport = (1280, 1100)
        notebook = open_notebook([IMPORT, *cells], theme=request.param, viewport=viewport)
        for number in range(len(cells) + 1):
            notebook.run(number)
        tool = notebook.page.locator(".sm")
        suffix = "" if request.param == "light" else "_dark"
        return notebook.page, lambda: keep(tool.screenshot(), f"{name}{suffix}")

    return open_page


def test_schema_editor(take):
    page, shoot = take("schema_editor", f'SchemaEditor("""{NESTED}""")')
    page.get_by_label("Try it").click()
    page.get_by_label("Sample text").fill(MAIL)
    page.get_by_label("Run", exact=True).click()
    expect(page.get_by_label("Result").locator("td")).to_have_count(5, timeout=60_000)
    page.get_by_label("Name of day", exact=True).focus()
    shoot()


def test_playground(take):
    page, shoot = take(
        "playground", f'playground("""{SCHEMA}""", """Extract the complaint:\n{MAIL}""")'
    )
    page.get_by_label("Temperature of B").fill("0.9")
    page.get_by_label("Seed of B").fill("4")
    page.get_by_label("Run all", exact=True).click()
    expect(page.get_by_label("Answer of B").locator("td")).to_have_count(5, timeout=60_000)
    shoot()


def test_review(take):
    cell = f"%%steer --over mails -o found --quiet\n{SCHEMA}---\n"
    cell += "Extract the complaint:\n{{ text }}"
    page, shoot = take("review", f"mails = {MAILS!r}", cell, "found.steer.review()")
    page.get_by_label("Review of rows", exact=True).focus()
    page.keyboard.press("r")
    expect(page.get_by_text("1 of 6 judged")).to_be_visible(timeout=30_000)
    page.keyboard.press("a")
    expect(page.get_by_text("2 of 6 judged")).to_be_visible(timeout=30_000)
    shoot()
