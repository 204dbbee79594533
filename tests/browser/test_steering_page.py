"""The page's half of the live view, in a page without a notebook."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

import steermagic
from steer_engine import (
    Confidence,
    Engine,
    Evidence,
    Step,
    Steps,
    StepsUndone,
    read_schema,
    rows_of,
)
from steer_engine.backends.fake import FakeBackend
from steermagic.display import view_of
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.prompt import interpolate
from steermagic.runs import Row
from steermagic.schemas import FoundSchema
from steermagic.session import Session
from steermagic.widgets.batches import LiveView, head_of

STATIC = Path(steermagic.__file__).parent / "widgets" / "static"
HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    '"><svg onload="window.hacked = 1">',
    "[x](javascript:window.hacked=1)",
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe\u2066",
    "x" * 1_000_000,
]
HOST = """
async ([source, style, head]) => {
  const listeners = {};
  window.interrupts = 0;
  window.model = {
    get: () => head,
    on: (event, react) => (listeners[event] ??= []).push(react),
    off: (event) => { listeners[event] = []; },
    tell: (message) => (listeners["msg:custom"] ?? []).forEach((react) => react(message)),
    widget_manager: { kernel: { interrupt() { window.interrupts += 1; } } },
  };
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  document.adoptedStyleSheets = [sheet];
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  window.module = await import(url);
  window.dispose = module.default.render({ model, el: document.getElementById("root") });
}
"""
LOOKS = """
(root) => ({
  header: root.querySelector("b").textContent,
  tokens: [...root.querySelectorAll("[data-origin]")].map((e) =>
    [e.textContent, e.style.cssText, JSON.stringify(e.dataset, Object.keys(e.dataset).sort())]),
  lines: [...root.querySelectorAll(".steermagic-tokens [data-origin]:first-child")].length,
  cells: [...root.querySelectorAll("td[data-place]")].map((e) =>
    [e.textContent, e.style.cssText, e.dataset.place, JSON.parse(e.dataset.odds ?? "[]")]),
  columns: [...root.querySelectorAll("th")].map((e) => e.textContent),
  marks: [...root.querySelectorAll("mark")].map((e) => [e.textContent, e.style.cssText]),
  bar: [...root.querySelectorAll("[title$=forced], [title$=chosen], [title$=narrowed]")].map((e) =>
    [e.title, e.style.width, e.style.background]),
  legend: [...root.querySelectorAll("span")].map((e) => e.textContent)
    .filter((text) => /by the|overruled/.test(text)),
})
"""


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 900, "height": 700})
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith("blob:") else problems.append(r.url))
    page.set_content("<main id=root></main>")
    yield page
    assert problems == []
    page.close()


@pytest.fixture
def live(page):
    """Show a job in the page; return a view that is told of its events."""

    def show(job: Job, model: str = "tiny", clock=None) -> LiveView:
        source, style = ((STATIC / f"steering.{end}").read_text("utf-8") for end in ("js", "css"))
        page.evaluate(HOST, [source, style, head_of(job, model)])
        now = iter(range(10**9))
        return LiveView(job, lambda message: page.evaluate("m => model.tell(m)", plain(message)),
                        clock or (lambda: float(next(now))))  # fmt: skip

    return show


def plain(message):
    return json.loads(json.dumps(message))


def frame(page):
    """Wait until the page has painted what it was told."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def job(notation="name: str, age: int", *, many=False, prompt="Invent", **options):
    schema = read_schema(notation)
    found = FoundSchema(rows_of(schema) if many else schema, is_list=many)
    return Job((prompt,), found, SteerOptions(**options))


def over(n_rows: int, **options) -> Job:
    data = [{"text": f"mail {i} by Ann"} for i in range(n_rows)]
    found = FoundSchema(read_schema("name: verbatim, ok: bool"))
    return job_over(data, "{{ text }}", found, SteerOptions(**options), namespace={})


def gained(text: str, row: int = 0, pointer: str = "", **fields) -> Steps:
    step = Step(0, text.encode(), fields.pop("origin", "chosen"), pointer, logprob=-0.1, **fields)
    return Steps(row, (step,))


def done(number: int, record, **fields) -> Row:
    return Row(number, record, json.dumps(record), (), is_kept=True, is_finished=True, **fields)


def texts(page):
    frame(page)
    return page.locator("[data-origin]").all_inner_texts()


def test_live_and_frozen_are_the_same_picture(page, live):
    wish = {"who": "Ann", "note": "é <b>", "mood": "good"}
    prompt = interpolate("{{ mail }}", {"mail": "by Ann Lee"})
    task = job('who: verbatim, note: str, mood: "fine" | "bad"', prompt=prompt)
    view = live(task)
    session = Session(lambda _spec: Engine(FakeBackend(json.dumps(wish, ensure_ascii=False))))
    run = session.run(task, watcher=view, progress=view.progress)
    view.flush()
    page.locator("summary", has_text="table").click()
    frame(page)
    shown = page.locator(".steermagic-live").evaluate(LOOKS)
    html = view_of(run)._repr_html_().replace("fake", "tiny")
    page.evaluate("html => root.innerHTML = html", html)
    frozen = page.locator(".steermagic-view").evaluate(LOOKS)
    assert len(frozen["tokens"]) > 20
    assert "é <b>" in "".join(text for text, *_ in frozen["tokens"])
    assert len(frozen["bar"]) == 3  # forced, chosen and narrowed
    assert frozen["cells"]
    assert frozen["marks"]
    assert shown == frozen


def test_a_row_that_goes_back_loses_its_tokens(page, live):
    view = live(job())
    for event in [gained("{"), gained("x"), StepsUndone(0, 1), gained("y")]:
        view.take(event)
    assert texts(page) == ["{", "y"]


def test_what_the_page_missed_comes_with_the_next_whole(page, live):
    view = live(job())
    page.evaluate("() => { window.tell = model.tell; model.tell = () => {}; }")
    view.take(gained("a"))
    view.take(gained("b"))
    view.take(gained("c"))
    page.evaluate("() => { model.tell = tell; }")
    for letter in "defgh":
        view.take(gained(letter))
    assert texts(page) == list("abcdefgh")


def test_rows_stand_in_their_order(page, live):
    view = live(over(3, view="live"))
    for row in (2, 0, 1):
        view.take(gained(f"r{row}", row))
    assert texts(page) == ["r0", "r1", "r2"]


def test_json_is_indented_as_far_as_it_goes(page, live):
    view = live(job())
    page.locator("summary", has_text="JSON").click()
    view.take(gained('{"a": [1, {}, "x, {\\"'))
    frame(page)
    assert page.locator("pre").inner_text() == '{\n  "a": [\n    1,\n    {},\n    "x, {\\"'


def test_cancel_interrupts_the_kernel(page, live):
    live(job())
    button = page.get_by_role("button", name="Cancel")
    button.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("interrupts") == 1
    expect(page.get_by_role("button")).to_be_disabled()


def test_pointing_at_a_cell_lights_its_tokens_and_its_source(page, live):
    view = live(over(2, view="live"))
    view.take(gained('{"name": ', 0, origin="forced"))
    view.take(gained("Ann", 0, "/name"))
    view.take(gained("true", 0, "/ok"))
    odds = (Confidence("/ok", 0.8, 0.8, ((True, 0.8), (False, 0.2))),)
    record = {"name": "Ann", "ok": True}
    view.end(done(0, record, evidence=(Evidence("/name", 0, 10, 13),), confidence=odds))
    frame(page)
    page.locator("td", has_text="Ann").hover()
    assert page.locator(".steermagic-lit").all_inner_texts() == ["Ann", "Ann", "Ann"]
    expect(page.locator("mark.steermagic-lit")).to_have_text("Ann")
    expect(page.locator(".steermagic-card")).to_be_hidden()
    page.locator("td", has_text="true").hover()
    expect(page.locator(".steermagic-card")).to_have_text("the valuetrue80%false20%")
    page.locator("[data-origin]", has_text="Ann").hover()
    assert page.locator(".steermagic-lit").count() == 3
    page.locator("[data-origin=forced]").hover()
    assert page.locator(".steermagic-lit").evaluate_all("all => all.map((e) => e.outerHTML)") == []
    page.locator("mark").hover()
    assert page.locator(".steermagic-lit").count() == 3


def test_the_card_tells_what_the_model_wanted(page, live):
    view = live(job())
    view.take(gained("x", origin="narrowed", wanted=b"Sure thing", wanted_logprob=-0.5))
    frame(page)
    page.locator("[data-origin]").hover()
    card = page.locator(".steermagic-card")
    expect(card).to_contain_text("the schema overruled the model’s favourite")
    expect(card.locator("s")).to_have_text("Sure␣thing")
    expect(card).to_contain_text("61%forbidden by the schema")
    page.mouse.move(5, 690)
    expect(card).to_be_hidden()


@pytest.mark.parametrize("top", [0, 100, 640])
def test_the_card_is_whole_however_short_its_output_is(top, page, live):
    """It was cut off where the area of an output ended."""
    view = live(job())
    view.take(gained("x", origin="narrowed", wanted=b"Sure thing", wanted_logprob=-0.5))
    frame(page)
    page.locator("#root").evaluate(
        "(root, top) => { root.style = `margin-top:${top}px; height:40px; overflow:hidden`; }", top
    )
    token, card = page.locator("[data-origin]"), page.locator(".steermagic-card")
    token.scroll_into_view_if_needed()
    token.hover()
    box = card.bounding_box()
    assert 0 <= box["y"] < box["y"] + box["height"] <= 700
    corners = [(box["x"] + x, box["y"] + y) for x in (2, box["width"] - 2) for y in (2, 40)]
    card.evaluate("card => { card.style.pointerEvents = 'auto'; }")
    for corner in corners:
        assert page.evaluate(
            "at => document.elementFromPoint(...at).closest('.steermagic-card') !== null", corner
        )


def test_the_card_follows_what_it_is_about(page, live):
    view = live(job())
    view.take(gained("x", origin="narrowed", wanted=b"Sure thing", wanted_logprob=-0.5))
    frame(page)
    page.evaluate("() => { document.body.style.height = '3000px'; }")
    page.locator(".steermagic-tokens").focus()
    page.keyboard.press("ArrowRight")
    card = page.locator(".steermagic-card")
    before = card.bounding_box()["y"]
    page.evaluate("() => new Promise((done) => { onscroll = done; scrollTo(0, 30); })")
    assert card.bounding_box()["y"] == before - 30
    page.locator("[data-origin]").evaluate("token => token.remove()")
    page.evaluate("() => new Promise((done) => { onscroll = done; scrollTo(0, 0); })")
    expect(card).to_be_hidden()


def test_tokens_can_be_read_with_the_keyboard(page, live):
    view = live(job())
    view.take(gained("{", origin="forced"))
    view.take(gained("a", pointer="/name"))
    view.take(gained(",", origin="forced"))
    view.take(gained("b", pointer="/age"))
    frame(page)
    page.locator(".steermagic-tokens").focus()
    here = page.locator(".steermagic-here")
    for key, text in [
        ("ArrowRight", "{"), ("ArrowRight", "a"), ("ArrowDown", "b"), ("ArrowLeft", ","),
        ("ArrowUp", "a"), ("ArrowLeft", "{"), ("ArrowRight", "a"),
    ]:  # fmt: skip
        page.keyboard.press(key)
        expect(here).to_have_text(text)
    expect(page.get_by_role("status").last).to_contain_text("chosen by the model")
    page.keyboard.press("Escape")
    expect(here).to_have_count(0)


def test_of_a_large_table_the_rows_in_sight_are_in_the_page(page, live):
    view = live(over(1000))
    for number in range(1000):
        view.end(done(number, {"name": f"n{number}", "ok": True}))
    frame(page)
    assert page.locator("tbody tr[data-row]").count() < 60
    expect(page.get_by_label("table of 1000 rows")).to_be_visible()
    page.locator(".steermagic-rows").focus()
    for _ in range(40):
        page.keyboard.press("ArrowDown")
    frame(page)
    expect(page.locator(".steermagic-here")).to_have_text("n39")
    page.locator(".steermagic-rows").evaluate("e => e.scrollTop = e.scrollHeight")
    frame(page)
    expect(page.locator("td", has_text="n999")).to_be_visible()


def test_the_tokens_follow_unless_the_reader_has_scrolled(page, live):
    view = live(job())
    pane = page.locator(".steermagic-tokens")
    for i in range(60):
        view.take(gained(f"{i}\n"))
    frame(page)
    gap = "e => e.scrollHeight - e.scrollTop - e.clientHeight"
    assert pane.evaluate(gap) < 8
    pane.evaluate("e => e.scrollTop = 0")
    frame(page)
    view.take(gained("more"))
    frame(page)
    assert pane.evaluate("e => e.scrollTop") == 0


def test_a_frozen_view_is_served_when_it_is_pointed_at(page, live):
    live(job())
    page.evaluate("dispose()")
    task = job()
    session = Session(lambda _spec: Engine(FakeBackend('{"name": "Rex", "age": 3}')))
    page.evaluate("html => root.innerHTML = html", view_of(session.run(task))._repr_html_())
    page.locator("summary", has_text="table").click()
    page.locator("td", has_text="Rex").hover()
    assert "Rex" in "".join(page.locator("span.steermagic-lit").all_inner_texts())
    page.locator("[data-origin=chosen]").first.hover()
    expect(page.locator(".steermagic-card")).to_contain_text("chosen by the model")
    page.locator(".steermagic-tokens").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".steermagic-here")).to_have_text('{"')


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_text_is_text(page, live, text):
    schema = json.dumps({
        "type": "object", "title": text, "description": text,
        "properties": {text: {"type": "string", "description": text}}, "required": [text],
    })  # fmt: skip
    task = Job((text,), FoundSchema(read_schema(schema)), SteerOptions())
    view = live(task, model=text)
    page.locator("summary", has_text="table").click()
    page.locator("summary", has_text="JSON").click()
    view.take(gained(text, pointer=f"/{text}", origin="narrowed", wanted=text.encode()))
    view.end(done(0, {text: text}, confidence=(Confidence("/", 1, 1, ((text, 1.0),)),)))
    frame(page)
    page.locator("[data-origin]").first.hover(position={"x": 4, "y": 4})
    page.locator("td[data-place]").first.hover(position={"x": 4, "y": 4})
    frame(page)
    assert page.evaluate("window.hacked") is None
    inside = "#root :is(script, img, svg, a, iframe, object, link, style)"
    assert page.locator(inside).count() == 0
    whole = page.locator("#root").inner_text()
    assert not {"\x1b", "\u202e", "\u2066"} & set(whole)
