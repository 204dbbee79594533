from types import SimpleNamespace

import pytest

from steermagic.progress import ProgressLine, is_watched


@pytest.fixture
def shown(monkeypatch):
    shown = []

    class Handle:
        def display(self, text):
            shown.append(str(text))

        update = display

    monkeypatch.setattr("steermagic.progress.DisplayHandle", Handle)
    return shown


class Watched:
    """A line that is told of rows at times that the test sets, in seconds from the beginning."""

    def __init__(self, n_rows):
        self._now = 0.0
        self.line = ProgressLine(n_rows, clock=lambda: self._now)

    def at(self, now, *rows):
        self._now = now
        self.line(*rows)


def test_the_line_says_how_far_the_run_is(shown):
    watched = Watched(200)
    for n_finished in range(37):
        watched.at(0.8 * n_finished, n_finished, 0)
    watched.at(29.6, 37, 1)
    assert shown[-1] == "37/200 · 0.8 s/row · 2 min left · 1 failed"
    watched.line.clear()
    assert shown[-1] == ""


def test_the_line_has_one_place_and_leaves_other_output_alone(shell, monkeypatch):
    def publish(self, data, metadata, *, transient=None, update=False):
        published.append((data["text/plain"], update, transient and transient["display_id"]))

    published = []
    monkeypatch.setattr(shell.display_pub, "publish", publish.__get__(shell.display_pub))
    monkeypatch.setattr(shell.display_pub, "clear_output", None)
    watched = Watched(200)
    for now in (1.0, 2.0):
        watched.at(now, 10 * int(now), 0)
    watched.line.clear()
    [begun, _, cleared] = published
    assert (begun[:2], cleared) == (("10/200", False), ("", True, begun[2]))


def test_of_an_iterator_nobody_knows_the_end(shown):
    watched = Watched(None)
    for n_finished in range(38):
        watched.at(0.8 * n_finished, n_finished, 0)
    assert shown[-1] == "37 rows · 0.8 s/row"


def test_a_quick_run_needs_no_line(shown):
    watched = Watched(200)
    watched.at(0.5, 3, 0)
    watched.line.clear()
    assert shown == []


def test_rows_that_finish_in_a_burst_are_shown_together(shown):
    watched = Watched(200)
    for now, n_finished in ((0.0, 0), (2.0, 1), (2.1, 2), (2.2, 3), (2.3, 4)):
        watched.at(now, n_finished, 0)
    assert shown == ["1/200", "4/200"]


def test_the_time_left_does_not_jump_when_rows_end_in_bursts(shown):
    """Sixteen rows every twelve seconds: the rate is neither that of the burst nor of the pause."""
    watched = Watched(1600)
    for tick in range(4800):
        watched.at(tick / 10, tick // 120 * 16, 0)
    first = next(i for i, line in enumerate(shown) if "left" in line)
    rates = {float(line.split(" · ")[1].removesuffix(" s/row")) for line in shown[first:]}
    assert 0.7 <= min(rates) <= max(rates) <= 1.2


def test_before_the_second_rows_are_due_nothing_is_promised(shown):
    watched = Watched(100)
    for now in range(30):
        watched.at(now, max(now - 11, 0), 0)
    assert shown[22:25] == ["12/100", "13/100 · 1.8 s/row · 3 min left",
                            "14/100 · 1.8 s/row · 3 min left"]  # fmt: skip
    assert not any("s/row" in line for line in shown[:23])


def test_rows_that_were_answered_before_say_nothing_of_the_speed(shown):
    """A thousand of them come in two seconds; then sixteen rows end every 48 seconds."""
    watched = Watched(2000)
    for n_finished in range(1, 1001):
        watched.at(0.002 * n_finished, n_finished, 0)
    for n_new in range(1, 65):
        watched.at(2 + 48 * ((n_new + 15) // 16) + n_new / 1000, 1000 + n_new, 0)
    watched.at(195, 1064, 0)
    assert shown[-1] == "1064/2000 · 3.0 s/row · 47 min left"
    assert "1001/2000" in shown


@pytest.mark.parametrize(
    ("n_rows", "s_per_row", "expected"),
    [
        (100, 0.02, "99/100 · 50 rows/s · 5 s left"),
        (102, 0.5, "99/102 · 0.5 s/row · 5 s left"),
        (199, 0.5, "99/199 · 0.5 s/row · 50 s left"),
        (299, 0.5, "99/299 · 0.5 s/row · 2 min left"),
        (7299, 0.5, "99/7299 · 0.5 s/row · 1 h left"),
        (10_899, 0.5, "99/10899 · 0.5 s/row · 1 h 30 min left"),
        (100_099, 0.5, "99/100099 · 0.5 s/row · 14 h left"),
        (1_000_099, 0.5, "99/1000099 · 0.5 s/row · 6 days left"),
        (159, 120, "99/159 · 2.0 min/row · 2 h left"),
        (99, 0.5, "99/99 · 0.5 s/row"),
    ],
)
def test_units_suit_the_numbers(n_rows, s_per_row, expected, shown, monkeypatch):
    monkeypatch.setattr("steermagic.progress._PERIOD_S", 0)
    watched = Watched(n_rows)
    for n_finished in range(100):
        watched.at(s_per_row * n_finished, n_finished, 0)
    assert shown[-1] == expected


def test_only_a_kernel_that_can_ask_for_input_is_watched():
    assert is_watched(SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=True)))
    assert not is_watched(SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=False)))
    assert not is_watched(SimpleNamespace())
