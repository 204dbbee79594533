"""The review in a real notebook page: single keys, and a frame."""

from playwright.sync_api import expect

CELLS = [
    "%load_ext steermagic\nmails = ['Ada is 36.', 'Bob is 41.']",
    "%%steer --over mails -o found --quiet\nname: verbatim, age: int 0..120\n---\nFrom: {{ text }}",
    "found.steer.review()",
    "found.steer.reviewed['review'].astype(str).tolist(), found.steer.reviewed['age'].tolist()",
]


def test_rows_are_judged_with_keys_and_corrected(open_notebook):
    notebook = open_notebook(CELLS)
    for cell in range(3):
        notebook.run(cell)
    page = notebook.page
    page.get_by_label("Review of rows", exact=True).focus()
    page.keyboard.press("a")  # in the notebook's command mode this makes a cell
    expect(page.get_by_text("1 of 2 judged")).to_be_visible(timeout=30_000)
    page.get_by_label("Next row").focus()
    page.keyboard.press("b")  # as above
    age = page.get_by_label("Value of age")
    age.fill("99")
    age.press("Enter")
    expect(page.get_by_text("2 of 2 judged")).to_be_visible(timeout=30_000)
    assert notebook.cells.count() == 4
    [shown] = notebook.run(3)
    assert "accepted" in shown
    assert "corrected" in shown
    assert "99" in shown
