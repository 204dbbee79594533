"""Tab in a page of JupyterLab: what is offered is what `steermagic.completion` answers."""

from __future__ import annotations

from playwright.sync_api import expect


def complete(notebook, i, text):
    """Type into an empty cell and press Tab; several matches open a list."""
    notebook.cells.nth(i).locator(".cm-content").click()
    notebook.page.keyboard.type(text)
    notebook.page.keyboard.press("Tab")
    return notebook.page.locator(".jp-Completer:not(.lm-mod-hidden) .jp-Completer-item")


def test_flags_and_names_are_completed_with_tab(open_notebook):
    setup = "%load_ext steermagic\nletter_one, letter_two = 'a', 'b'"
    notebook = open_notebook([setup, "", ""])
    notebook.run(0)
    items = complete(notebook, 1, "%%steer name: str --ov")
    expect(items).to_have_text(["o--overoption"])  # its kind is shown as well
    notebook.page.keyboard.press("Enter")
    expect(notebook.cells.nth(1).locator(".cm-content")).to_have_text("%%steer name: str --over")
    items = complete(notebook, 2, "%%steer name: str\nFrom {{ lett")
    expect(items).to_contain_text(["letter_one", "letter_two"])
    notebook.page.keyboard.press("Enter")
    expect(notebook.cells.nth(2).locator(".cm-content")).to_contain_text("From {{ letter_one")
