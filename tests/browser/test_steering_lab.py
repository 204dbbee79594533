"""The steering view in JupyterLab and Notebook 7: live, cancelled, frozen, untrusted."""

from __future__ import annotations

import json
from importlib.resources import files

import nbformat
import pytest
from playwright.sync_api import expect

SETUP = "%load_ext steermagic\nimport slow_model"
DOGS = [{"name": f"Dog {i}", "age": i, "kind": "good"} for i in range(20)]
WISH = f"slow_model.use({DOGS!r}, 0.02)"
CELL = '%%steer name: str, age: int, kind: "good" | "bad" --many -o dogs\nInvent dogs'
WIDGET = "application/vnd.jupyter.widget-view+json"
HOSTILE = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>\u202e\x1b[31m"
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def violations(page, place=".steermagic-view"):
    """What axe-core finds serious, or worse, in a part of the page."""
    page.evaluate(AXE)
    found = page.evaluate("place => axe.run(place)", place)["violations"]
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]][:3])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def looks(page):
    """Each kind of token as the page shows it: its background and the line below it."""
    style = "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).borderBottomStyle]"
    view = page.locator(".jp-OutputArea-output div", has_text="tokens").first
    return {
        kind: view.locator(f'[title^="{kind}"]').last.evaluate(style)
        for kind in ("forced", "chosen")
    }


@pytest.mark.parametrize("app", ["doc/tree", "notebooks"], ids=["lab", "notebook7"])
def test_live_while_it_runs_then_frozen(open_notebook, app):
    notebook = open_notebook([SETUP, WISH, CELL, "dogs.shape"], app=app)
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    notebook.start(2)
    live = page.get_by_role("region", name="steering view")
    expect(live.locator("[data-origin=chosen]").nth(20)).to_be_attached(timeout=20_000)
    expect(live).to_contain_text("tokens/s")
    live.locator("summary", has_text="table").click()
    expect(live.locator("td", has_text="Dog 1").first).to_be_visible(timeout=20_000)
    assert violations(page) == []
    notebook.wait(2)
    expect(live).to_have_count(0)
    frozen = notebook.cells.nth(2).locator(".steermagic-view")
    expect(frozen).to_contain_text("fake · ")
    assert notebook.run(3) == ["(20, 3)"]
    # The script goes on serving what is frozen.
    frozen.locator("summary", has_text="table").click()
    frozen.locator("td", has_text="Dog 3").first.hover()
    expect(frozen.locator("span.steermagic-lit").first).to_be_attached()
    assert violations(page) == []

    saved = notebook.save()
    assert "widgets" not in saved.metadata
    outputs = saved.cells[2].outputs
    assert [WIDGET in output.get("data", {}) for output in outputs] == [False, False]
    assert "Dog 19" in outputs[0].data["text/html"]
    before = looks(page)
    again = open_notebook(name=notebook.path.name, app=app)
    expect(again.cells.nth(2).locator(".jp-OutputArea-output").first).to_contain_text("fake · ")
    assert looks(again.page) == before


def test_cancel_keeps_what_is_finished(open_notebook):
    rows = "rows = [{'text': f't{i}'} for i in range(500)]"
    one = "slow_model.use({'name': 'Rex', 'ok': True}, 0.03)"
    cell = "%%steer name: str, ok: bool --over rows -o out\n{{ text }}"
    notebook = open_notebook([SETUP, f"{rows}\n{one}", cell, "len(out), int(out.ok.count())"])
    notebook.run(0)
    notebook.run(1)
    notebook.start(2)
    live = notebook.page.get_by_role("region", name="steering view")
    expect(live.locator("td", has_text="Rex").nth(2)).to_be_visible(timeout=30_000)
    expect(live).to_contain_text("/500")
    assert violations(notebook.page) == []
    live.get_by_role("button", name="Cancel").click()
    notebook.wait(2, timeout=10_000)
    expect(notebook.outputs(2).last).to_contain_text("SteerCancelled: stopped; ")
    expect(live).to_have_count(0)
    expect(notebook.outputs(2).first).to_contain_text("table · ")
    [count] = notebook.run(3)
    n_rows, n_kept = json.loads(count.replace("(", "[").replace(")", "]"))
    assert n_rows == 500
    assert 0 < n_kept < 500


def test_an_untrusted_notebook_shows_the_same_picture(open_notebook, server):
    notebook = open_notebook([SETUP, f"slow_model.use({DOGS[:2]!r})", CELL])
    for i in range(3):
        notebook.run(i)
    before = looks(notebook.page)
    saved = notebook.save()
    saved.cells[0].source += "\n# by somebody else"
    html = saved.cells[2].outputs[0].data["text/html"]
    hostile = "<script>window.hacked = 1</script><svg onload='window.hacked = 1'></svg>"
    saved.cells[2].outputs[0].data["text/html"] = html + hostile
    nbformat.write(saved, server.notebooks / "untrusted.ipynb")
    page = open_notebook(name="untrusted.ipynb").page
    output = page.locator(".jp-OutputArea-output").filter(has_text="fake · ").first
    expect(output).to_contain_text("forced by the schema")
    assert output.locator("[data-origin], script").count() == 0  # what is not harmless is dropped
    assert looks(page) == before
    height = "e => [...e.querySelectorAll('span')].some((s) => s.style.width.endsWith('%'))"
    assert output.evaluate(height)  # the bar
    assert page.evaluate("window.hacked") is None


def test_hostile_text_is_text_everywhere(open_notebook):
    schema = {
        "type": "object",
        "title": HOSTILE,
        "properties": {
            HOSTILE: {"type": "string", "description": HOSTILE},
            "kind": {"enum": [HOSTILE, "other"]},
        },
        "required": [HOSTILE, "kind"],
    }
    wish = {HOSTILE: HOSTILE, "kind": HOSTILE}
    setup = f"hostile = {schema!r}\nslow_model.use({wish!r})\ntext = {HOSTILE!r}"
    notebook = open_notebook(
        [
            SETUP,
            setup,
            "%%steer hostile -o out\n{{ text }}",
            "%%steer hostile --over [text] --view live\n{{ row }}",
            '%%steer hostile --regex "("\n{{ text }}',
            "%steer view",
            "slow_model.use('\\x1b[31m' + text)\nraise_it = 1",
            "%%steer no_such<script>window.hacked=1</script>\nx",
        ]
    )
    for i in range(8):
        notebook.run(i)
    page = notebook.page
    views = notebook.page.locator(".steermagic-view")
    assert views.count() >= 2
    views.first.locator("[data-origin]").last.hover()
    for summary in views.first.locator("summary").all():
        summary.click()
    assert page.evaluate("window.hacked") is None
    area = ".jp-OutputArea-output :is(script, img, svg, iframe, [onerror], [href^=javascript])"
    assert page.locator(area).count() == 0
    assert not {"\u202e", "\x1b"} & set("".join(views.all_inner_texts()))


def test_dark_pages_are_readable(open_notebook):
    notebook = open_notebook([SETUP, f"slow_model.use({DOGS[:3]!r}, 0.01)", CELL], theme="dark")
    page = notebook.page
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    notebook.run(0)
    notebook.run(1)
    notebook.start(2)
    expect(page.locator(".steermagic-live [data-origin]").nth(10)).to_be_attached(timeout=20_000)
    assert violations(page) == []
    notebook.wait(2)
    assert violations(page) == []
