from types import SimpleNamespace

import pytest

from steermagic.progress import ProgressLine, is_watched


@pytest.fixture
def shown(monkeypatch):
    shown = []
    monkeypatch.setattr("steermagic.progress.display", lambda text: shown.append(str(text)))
    monkeypatch.setattr(
        "steermagic.progress.clear_output", lambda wait=False: None if wait else shown.append("")
    )
    return shown


def line(times):
    return ProgressLine(200, clock=iter(times).__next__)


def test_the_line_says_how_far_the_run_is(shown):
    progress = line([0, 29.6])
    progress(37, 1)
    assert shown == ["37/200 · 0.8 s/row · 1 failed"]
    progress.clear()
    assert shown[-1] == ""


def test_a_quick_run_needs_no_line(shown):
    progress = line([0, 0.5])
    progress(3, 0)
    progress.clear()
    assert shown == []


def test_rows_that_finish_in_a_burst_are_shown_together(shown):
    progress = line([0, 2.0, 2.1, 2.2, 2.3])
    for n_finished in range(1, 5):
        progress(n_finished, 0)
    assert shown == ["1/200 · 2.0 s/row", "4/200 · 0.6 s/row"]


def test_only_a_kernel_that_can_ask_for_input_is_watched():
    assert is_watched(SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=True)))
    assert not is_watched(SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=False)))
    assert not is_watched(SimpleNamespace())
