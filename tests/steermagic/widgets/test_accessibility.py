"""What axe-core has to say of the tools and of a shown frame, on a light page and on a dark one."""

import json

import pandas as pd
import pytest

from steermagic.widgets.editor import SchemaEditor
from steermagic.widgets.playground import playground

SCHEMA = 'name: str\nmood: "good" | "bad" | None\ntags: list[{a: int 0..9}]'
WISH = {"name": "Ada", "mood": "good", "tags": [{"a": 1}]}


@pytest.fixture(params=["light", "dark"])
def themed(request, page):
    page.emulate_media(color_scheme=request.param)
    return lambda: page.add_style_tag(content="html { color-scheme: light dark }")


def test_the_editor(themed, show, violations, wishing):
    tool = show(SchemaEditor(SCHEMA, session=wishing(WISH)).widget)
    themed()
    for label in ("From an example", "Try it", "More about name"):
        tool.click(label)
    tool.label("Sample text").fill("Ada")
    tool.click("Run")
    tool.fill("Name of name", "mood")  # a problem
    assert violations() == []


def test_the_playground(themed, show, violations, wishing):
    made = playground(SCHEMA, "Who?", session=wishing(WISH))
    tool = show(made.widget)
    themed()
    tool.fill("Seed of B", "x")
    tool.click("Run all")
    assert json.loads(tool.widget.data)["answers"][1]["problem"]
    assert violations() == []


def test_the_review(themed, show, violations, notebook):
    book = notebook(WISH)
    mails = pd.DataFrame({"text": ["Ada a", "Ada b"]})
    frame = book.run(f"%%steer --over mails\n{SCHEMA}\n---\nFrom: {{{{ text }}}}", mails=mails)
    tool = show(frame.steer.review().widget)
    themed()
    tool.click("Accept")
    tool.fill("Value of name", "Grace")
    assert violations() == []


def test_a_shown_frame(themed, page, violations, notebook):
    record = {"to": "https://example.org/a", "mood": "good", "n": 3, "said": "word\n" * 90}
    frame = notebook(record).run(
        "%%steer -o out --min-confidence 1\nto: url  # the address\n"
        'mood: "good" | None\nn: int\nsaid: str\n---\nInvent'
    )
    frame.loc[0, "mood"] = None
    view = frame.steer.show()._repr_html_()
    page.set_content(f"<main style='width:300px'>{view}</main>")
    themed()
    page.locator("details").evaluate_all("all => { for (const each of all) each.open = true; }")
    assert violations("main") == []
