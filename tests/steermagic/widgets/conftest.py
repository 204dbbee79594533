"""Widgets in a real page without a notebook: what the page does reaches Python, and back."""

from __future__ import annotations

import os
import shutil
from importlib.resources import files

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]

# A model as anywidget's, whose messages wait until Python fetches them.
HOST = """
async ([source, style, state]) => {
  const listeners = {};
  const model = {
    waiting: [],
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      model.tell(`change:${name}`);
    },
    save_changes() { model.waiting.push({ save: state.state }); },
    send(content) { model.waiting.push({ content }); },
    on(event, react) { (listeners[event] ??= []).push(react); },
    off(event, react) {
      listeners[event] = listeners[event].filter((each) => each !== react);
    },
    tell(event) { for (const react of listeners[event] ?? []) react(); },
    widget_manager: { kernel: { interrupt() { model.waiting.push({ interrupt: true }); } } },
  };
  window.model = model;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  document.adoptedStyleSheets = [sheet];
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  window.render = (el) => widget.render({ model, el });
  await render(document.getElementById("root"));
}
"""


class Tool:
    """A widget in a page. Call `sync` after what was done there."""

    def __init__(self, page, widget):
        self.page, self.widget = page, widget
        self.interrupts = 0
        page.set_content("<div id=root style='max-width:960px'></div>")
        state = {"state": widget.state, "data": widget.data}
        page.evaluate(HOST, [widget._esm, widget._css, state])

    def show_again(self):
        """Show another view of the widget below the first."""
        self.page.evaluate(
            """async () => {
              const el = document.createElement("div");
              document.body.append(el);
              await render(el);
            }"""
        )

    def sync(self):
        """Let Python see what happened, and the page what came of it."""
        waiting = self.page.evaluate("() => model.waiting.splice(0)")
        for message in waiting:
            if "save" in message:
                self.widget.state = message["save"]
            elif "content" in message:
                self.widget._handle_custom_msg(message["content"], [])
            else:
                self.interrupts += 1
        self.page.evaluate(
            "([state, data]) => { model.set('state', state); model.set('data', data); }",
            [self.widget.state, self.widget.data],
        )

    def sync_messages(self):
        """Let Python see what was sent, as while a notebook holds states back."""
        for message in self.page.evaluate("() => model.waiting.splice(0)"):
            if "content" in message:
                self.widget._handle_custom_msg(message["content"], [])

    def press_down(self, label):
        """Put the mouse button down on what has the label, and leave it there."""
        box = self.label(label).bounding_box()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()

    def lose_kernel(self):
        self.page.evaluate("() => { model.send = () => { throw new Error('Cannot send'); }; }")

    def status(self):
        return self.page.get_by_role("status").inner_text()

    def focused(self):
        return self.page.evaluate("document.activeElement.ariaLabel")

    def label(self, text):
        return self.page.get_by_label(text, exact=True)

    def fill(self, label, text):
        self.label(label).fill(text)
        self.label(label).blur()
        self.sync()

    def choose(self, label, option):
        self.label(label).select_option(option)
        self.sync()

    def click(self, label):
        self.label(label).click()
        self.sync()

    def press(self, keys):
        self.page.keyboard.press(keys)
        self.sync()

    def text(self):
        return self.page.locator("#root").inner_text()


@pytest.fixture(scope="module")  # while Playwright runs, no other test may have an event loop
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium; set CHROMIUM to its path")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: page.problems.append(request.url))  # nothing is fetched
    yield page
    context.close()
    assert [each for each in page.problems if not each.startswith("blob:")] == []


@pytest.fixture
def show(page):
    """Shows a widget in the page."""
    return lambda widget: Tool(page, widget)


@pytest.fixture
def violations(page):
    """What axe-core finds serious, or worse, in the page."""
    pytest.importorskip("axe_playwright_python")
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")

    def check(where=".sm"):
        page.evaluate(source)
        found = page.evaluate("where => axe.run(where)", where)["violations"]
        return [
            (each["id"], each["nodes"][0]["html"][:150], each["nodes"][0]["failureSummary"])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]

    return check
