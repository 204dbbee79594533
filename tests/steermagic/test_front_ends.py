"""What each front end shows: terminals, nbconvert, papermill, and pages that clean HTML."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from select import select
from types import ModuleType, SimpleNamespace

import bleach
import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter, LatexExporter, MarkdownExporter

from steer_engine import ModelError
from steermagic import SchemaEditor
from steermagic.session import shared_session
from steermagic.widgets import panel

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
WIDGET = "application/vnd.jupyter.widget-view+json"
WISH = {"name": "Ann Lee", "mood": "<b>good"}
SETUP = f"""\
%load_ext steermagic
import slow_model
slow_model.use({WISH!r})"""
MAIL = 'mail = "by nobody"'
CELL = '%%steer name: verbatim, mood: "bad" | "<b>good" -o found\nWho wrote {{ mail }}?'
EDITOR = 'import steermagic\nsteermagic.SchemaEditor("name: str")'
END = "\n"  # two empty lines end a cell magic in a terminal
# What a strict cleaner leaves of HTML, about what GitHub does; of the attributes `title` alone.
GITHUB_TAGS = {
    "b", "br", "code", "details", "div", "em", "i", "li", "mark", "ol", "p", "pre", "s", "span",
    "strong", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
}  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    """That of a process that finds the project, and whose settings are its own."""
    path = os.pathsep.join([str(ROOT / "tests/browser"), *sys.path])
    folders = {"IPYTHONDIR": str(folder / "ipython"), "JUPYTER_RUNTIME_DIR": str(folder / "run")}
    return {**os.environ, **folders, "PYTHONPATH": path, "STEERMAGIC_STORE": "off"}


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def write_notebook(path: Path, *cells: str) -> None:
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["kernelspec"] = kernel
    for cell in notebook.cells:
        cell.metadata["tags"] = ["parameters"] if cell.source == MAIL else []
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Has a notebook, and what papermill made of it with another mail."""
    folder = tmp_path_factory.mktemp("front_ends")
    write_notebook(folder / "mails.ipynb", SETUP, MAIL, CELL, EDITOR)
    made = run("papermill", "mails.ipynb", "made.ipynb", "-p", "mail", "by Ann Lee", folder=folder)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def made(folder):
    return nbformat.read(folder / "made.ipynb", as_version=4)


@pytest.fixture(scope="module")
def page(folder):
    """What `jupyter nbconvert --to html --execute` makes of it in turn."""
    done = run("nbconvert", "--to", "html", "--execute", "made.ipynb", folder=folder)
    assert done.returncode == 0, done.stderr
    return (folder / "made.html").read_text("utf-8")


def outputs(notebook, kind="text/html"):
    found = [each.get("data", {}) for cell in notebook.cells for each in cell.get("outputs", ())]
    return [data[kind] for data in found if kind in data]


def read(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def terminal(*lines: str, folder: Path) -> tuple[str, int]:
    """Type lines into IPython in a terminal; return what it shows, and its exit status."""
    ours, its = pty.openpty()
    command = ["IPython", "--simple-prompt", "--no-banner", "--no-confirm-exit"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--HistoryManager.enabled=False"],
        stdin=its, stdout=its, stderr=its, cwd=folder, start_new_session=True,
        env={**environment(folder), "TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(its)
    os.write(ours, "".join(f"{line}\n" for line in (*lines, "exit")).encode())
    shown = bytearray()
    with suppress(OSError):  # so Linux says that nobody is at the other end any more
        while select([ours], [], [], 60)[0]:
            shown += os.read(ours, 65536)
    os.close(ours)
    return shown.decode().replace("\r\n", "\n"), process.wait(30)


def test_a_terminal_gets_text(tmp_path):
    cells = [SETUP, MAIL, CELL.replace("verbatim", "str"), END, EDITOR, "%%steer Tickt\nhi", END]
    shown, status = terminal(*cells, folder=tmp_path)
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown)
    assert status == 0
    assert re.search(r"name +mood\n0 +Ann Lee +<b>good\n", plain)
    assert '{"name": "Ann Lee", "mood": "<b>good"}' in plain  # the tokens, as the view has them
    assert "forced by the schema · chosen by the model" in plain
    assert "\x1b[2m" in shown
    assert "\x1b[4;34m" in shown
    assert "SchemaEditor\nname: str" in plain
    assert "SchemaError: no schema named 'Tickt'" in plain
    assert not re.search(r"Traceback|<div|<table|Widget|<steermagic", plain)


def test_papermill_fills_in_its_parameters(made):
    frame, *_ = outputs(made, "text/plain")
    assert "Ann Lee" in frame  # which the model can only copy from the prompt
    assert any("copied from mail" in html for html in outputs(made))
    assert not outputs(made, WIDGET)
    assert "widgets" not in made.metadata


def test_papermill_stops_at_a_cell_that_fails(tmp_path):
    write_notebook(tmp_path / "wrong.ipynb", SETUP, "%%steer Tickt\nhi", "1")
    done = run("papermill", "wrong.ipynb", "made.ipynb", folder=tmp_path)
    assert done.returncode != 0
    assert "SchemaError: no schema named 'Tickt'" in done.stderr
    made = nbformat.read(tmp_path / "made.ipynb", as_version=4)
    assert made.cells[-1].execution_count is None


def test_html_has_the_table_and_the_view_and_nothing_of_a_widget(page):
    shown = read(page).select(".jp-OutputArea-output")
    assert len(shown) == 3
    assert [cell.text for cell in shown[0].select("td")] == ["Ann Lee", "<b>good"]
    assert shown[1].select_one(".steermagic-tokens").text.startswith('{"name": "Ann Lee"')
    assert "name: str" in shown[2].text
    assert not [each for output in shown for each in output.select("script, iframe, [onclick]")]
    assert "vnd.jupyter.widget" not in page


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium; set CHROMIUM to its path")
def test_html_can_be_printed_without_a_network(page):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        paper = browser.new_page()
        paper.route("**", lambda route: route.abort())
        paper.set_content(page, wait_until="domcontentloaded")
        paper.emulate_media(media="print")
        text = paper.locator("main").inner_text()
        printed = paper.pdf()
        browser.close()
    assert "Ann Lee\t<b>good" in text
    assert '{"name": "Ann Lee"' in text
    assert "forced by the schema" in text
    assert "copied from mail" in text
    assert printed.startswith(b"%PDF")


def test_a_tool_that_a_page_has_saved_is_converted_as_html(monkeypatch):
    """The widget itself is gone with its kernel; what stands beside it is shown."""
    monkeypatch.setattr(panel, "is_page", lambda: True)
    data, metadata = SchemaEditor("name: str")._repr_mimebundle_()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("editor")])
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", data, metadata=metadata)]
    text, _ = HTMLExporter().from_notebook_node(notebook)
    [shown] = read(text).select(".jp-OutputArea-output")
    assert "name: str" in shown.text
    assert "vnd.jupyter.widget" not in text


def test_markdown_has_the_table_and_the_view(made):
    text, _ = MarkdownExporter().from_notebook_node(made)
    assert "<td>Ann Lee</td>" in text
    assert "steermagic-tokens" in text
    assert not re.search(r"<script|widget", text)


def test_latex_has_the_table_as_text(made):
    text, _ = LatexExporter().from_notebook_node(made)
    body = text[text.index(r"\begin{document}") :]
    assert "0  Ann Lee  <b>good" in body
    assert re.search(r"fake · \d+ tokens · \d+\\?% forced", body)
    assert "SchemaEditor\nname: str" in body
    assert not re.search(r"<div|<table|widget", body, re.IGNORECASE)


def cleaned(html: str) -> BeautifulSoup:
    """What a strict page leaves: no script, no style of any kind, no class."""
    without = re.sub(r"<(style|script).*?</\1>", "", html, flags=re.DOTALL)
    return read(bleach.clean(without, tags=GITHUB_TAGS, attributes=["title"], strip=True))


def test_without_any_style_the_view_says_the_same(made):
    [whole] = [html for html in outputs(made) if "steermagic-view" in html]
    left = cleaned(whole)
    assert left.text == read(whole).text
    tokens = read(whole).select("[data-origin]")
    stories = [span["title"] for span in left.select("span[title]")]
    assert [token["title"] for token in tokens] == stories[-len(tokens) :]
    origins = Counter(story.split(":")[0].split(" ")[0] for story in stories[-len(tokens) :])
    assert origins == Counter(token["data-origin"] for token in tokens)
    folded = [summary.text for summary in left.select("details > summary")]
    assert folded == ["JSON", "table · 1 row"]
    assert [cell.text for cell in left.select("td")] == ["Ann Lee", "<b>good"]
    assert [(mark.text, mark["title"]) for mark in left.select("mark")] == [("Ann Lee", "name")]


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_committed_notebooks_can_be_read_where_html_is_cleaned(path):
    pages = outputs(nbformat.read(path, as_version=4))
    assert pages
    for html in pages:
        without = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)  # pandas has one
        assert cleaned(html).text == read(without).text


def test_colab_is_told_where_the_widgets_of_others_come_from(monkeypatch):
    asked = []
    colab = ModuleType("google.colab.output")
    colab.enable_custom_widget_manager = lambda: asked.append("enabled")
    colab._widgets = SimpleNamespace(_installed_url="https://colab.example/manager.js")
    monkeypatch.setitem(sys.modules, "google.colab.output", colab)
    monkeypatch.setattr(panel, "is_page", lambda: True)
    data, metadata = SchemaEditor("name: str")._repr_mimebundle_()
    assert asked == ["enabled"]
    assert set(data) == {WIDGET, "text/html", "text/plain"}
    assert metadata[WIDGET]["colab"]["custom_widget_manager"]["url"].endswith("manager.js")


def test_in_a_browsers_python_a_model_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(ModelError, match="no threads, and llguidance has no build") as caught:
        shared_session().engine("http://127.0.0.1:9#x")
    assert "\n" not in str(caught.value)
