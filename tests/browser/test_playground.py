"""The playground in a real notebook page."""

from playwright.sync_api import expect


def test_two_settings_are_answered_and_copied(open_notebook):
    notebook = open_notebook(
        ["text = 'Ada is 36 years old.'", "from steermagic import playground\nplayground()"]
    )
    notebook.run(0)
    notebook.run(1)
    page = notebook.page
    page.get_by_label("Schema", exact=True).fill("name: str\nage: int")
    page.get_by_label("Prompt", exact=True).fill("Extract the fields from this text:\n{{ text }}")
    page.get_by_label("Seed of B").fill("7")
    page.get_by_label("Temperature of B").fill("0.8")
    page.get_by_label("Run all", exact=True).click()
    for name in "AB":
        cells = page.get_by_label(f"Answer of {name}").locator("td")
        expect(cells).to_have_count(2, timeout=60_000)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_label("Copy B as cell").click()
    expect(page.get_by_label("Copy B as cell")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith(
        "%%steer --temperature 0.8 --seed 7\nname: str\n"
    )


def test_a_run_is_stopped_from_the_page(open_notebook):
    notebook = open_notebook(
        [
            "import slow_model\nslow_model.use({'name': 'Ada', 'born': 1815}, 0.5)",
            "from steermagic import playground\nplayground()",
        ]
    )
    notebook.run(0)
    notebook.run(1)
    page = notebook.page
    page.get_by_label("Run A", exact=True).click()
    expect(page.locator("#jp-main-statusbar")).to_contain_text("Busy", timeout=30_000)
    page.get_by_label("Stop", exact=True).click()
    expect(page.locator(".sm-playground .sm-problem")).to_contain_text("stopped", timeout=30_000)
    expect(page.get_by_label("Run A", exact=True)).to_be_enabled()
