"""`df.steer.plot()`: distributions, confidences and failures of a run, side by side."""

from __future__ import annotations

import sys
from dataclasses import replace

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from hostile_html import HOSTILE
from steer_engine import Confidence, RowError, TruncatedError, read_schema
from steermagic.errors import FrameError, MissingExtraError
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.plots import Bars, Histogram, panels, plot_frame
from steermagic.runs import Row, Run, failed_row, result_of
from steermagic.schemas import FoundSchema


def run_of(schema, *rows: Row) -> Run:
    table = pd.DataFrame({"text": [f"text {number}" for number in range(len(rows))]})
    found, options = FoundSchema(read_schema(schema)), SteerOptions(over="t")
    return Run(job_over(table, "{{ text }}", found, options, namespace={}), "fake", rows)


def row(number: int, record, **fields) -> Row:
    return Row(number, record, "", (), is_kept=True, is_finished=True, **fields)


def sure(pointer: str, prob: float) -> tuple[Confidence]:
    return (Confidence(pointer, prob, prob),)


MOODS = run_of(
    'mood: "glad" | "sad" | "null" | None, paid: bool',
    row(0, {"mood": "sad", "paid": True}, confidence=sure("/mood", 0.9)),
    row(1, {"mood": None, "paid": True}, confidence=sure("/mood", 0.3)),
    row(2, {"mood": "null", "paid": True}, error=TruncatedError("cut")),
    failed_row(3, RowError("no way out")),
)
FRAME = result_of(MOODS)


def test_each_thing_that_there_is_has_a_panel():
    assert panels(MOODS, FRAME) == [
        Bars("mood", [("glad", 0), ("sad", 1), ("null", 1), ("null", 2)]),
        Bars("paid", [("False", 0), ("True", 3), ("null", 1)]),
        Bars("failures", [("cut short", 1), ("RowError", 1)], "#e68200"),
        Histogram("mood: confidence", [0.9, 0.3]),
    ]


def test_of_a_part_of_the_frame_that_part_is_counted():
    mood, *_, confidence = panels(MOODS, FRAME.loc[[1], ["mood"]])
    assert mood == Bars("mood", [("glad", 0), ("sad", 0), ("null", 0), ("null", 1)])
    assert confidence == Histogram("mood: confidence", [0.3])


def test_of_a_part_of_the_frame_its_failures_are_counted():
    assert not [each for each in panels(MOODS, FRAME.loc[:1]) if each.title == "failures"]
    [failures] = [each for each in panels(MOODS, FRAME.loc[1:2]) if each.title == "failures"]
    assert failures.counts == [("cut short", 1)]


def test_a_failure_without_a_row_in_the_frame_is_counted():
    rows = row(0, []), row(1, [{"mood": "glad"}, {"mood": "sad"}])
    cut = replace(rows[0], error=TruncatedError("cut"))
    run = run_of('list[{mood: "glad" | "sad"}]', cut, rows[1])
    frame = result_of(run)
    assert len(frame) == 2
    assert panels(run, frame)[1].counts == [("cut short", 1)]


def test_what_somebody_corrected_has_no_confidence():
    corrected = FRAME.assign(mood=["glad", None, "null", None])
    assert panels(MOODS, corrected)[-1] == Histogram("mood: confidence", [0.3])


def test_what_somebody_wrote_beside_the_schemas_values_is_counted_after_them():
    """Values of several types had no order, which was a TypeError."""
    frame = FRAME.astype({"mood": object, "paid": object})
    frame.loc[0, ["mood", "paid"]] = ["odd", 7]
    frame.loc[1, ["mood", "paid"]] = [8, "unknown"]
    mood, paid, *_ = panels(MOODS, frame)
    assert mood.counts == [("glad", 0), ("sad", 0), ("null", 1), ("8", 1), ("odd", 1), ("null", 1)]
    assert paid.counts == [("False", 0), ("True", 1), ("7", 1), ("unknown", 1), ("null", 1)]


def test_a_name_of_several_columns_has_no_panel():
    twice = pd.concat([FRAME, FRAME[["mood"]]], axis=1)
    assert [panel.title for panel in panels(MOODS, twice)] == ["paid", "failures"]


def test_of_rows_that_lost_their_label_no_confidence_is_shown():
    answers = 'mood: "glad" | "sad", paid: bool'
    mixed = run_of(
        answers,
        row(0, {"mood": "sad", "paid": True}, confidence=sure("/mood", 0.9)),
        row(1, {"mood": "glad", "paid": False}, confidence=sure("/mood", 0.3)),
    )
    turned = result_of(mixed).iloc[::-1].reset_index(drop=True)
    with pytest.raises(FrameError, match="before reset_index"):
        panels(mixed, turned)


def test_the_figure_has_a_plot_for_each_panel_and_a_notebook_shows_it():
    figure = plot_frame(MOODS, FRAME)
    assert isinstance(figure, Figure)
    shown = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title(loc="left") for ax in shown] == [
        "mood",
        "paid",
        "failures",
        "mood: confidence",
    ]
    assert [patch.get_width() for patch in shown[0].patches] == [0, 1, 1, 2]
    assert sum(patch.get_height() for patch in shown[3].patches) == 2
    png, metadata = figure._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert metadata == {"alt": "plots of mood, paid, failures, mood: confidence"}


def test_nothing_of_pyplots_is_touched():
    before = dict(mpl.rcParams)
    loaded = "matplotlib.pyplot" in sys.modules
    plot_frame(MOODS, FRAME)._repr_png_()
    assert dict(mpl.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == loaded


@pytest.mark.parametrize(
    "hostile", [*HOSTILE, "$\\frac{", "$x$", "a\nb", "\\"], ids=lambda text: text[:20]
)
def test_texts_are_drawn_as_they_are(hostile):
    schema = {
        "type": "object",
        "properties": {hostile: {"enum": [hostile, "other"]}},
        "required": [hostile],
        "additionalProperties": False,
    }
    run = run_of(schema, row(0, {hostile: hostile}))
    figure = plot_frame(run, result_of(run))
    figure._repr_png_()
    [ax] = figure.axes
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[1] == "other"
    for text in (ax.get_title(loc="left"), labels[0]):
        assert text
        assert not {"\x1b", "\u202e", "\n"} & {*text}
        assert len(text) < 40


def test_formulas_stay_texts_where_the_user_has_switched_tex_on():
    run = run_of('kind: "$x$" | "y"', row(0, {"kind": "$x$"}))
    with mpl.rc_context({"text.usetex": True}):
        [ax] = plot_frame(run, result_of(run)).axes
        texts = [ax.title, ax._left_title, *ax.get_yticklabels()]
    assert not any(text.get_parse_math() or text.get_usetex() for text in texts[1:])


def test_of_many_values_the_largest_are_shown_and_the_others_summed():
    names = [f"v{nth:02}" for nth in range(30)]
    rows = [row(nth, {"v": name}) for nth, name in enumerate([*names, "v29", "v29", "v07"])]
    run = run_of({"properties": {"v": {"enum": names}}, "type": "object"}, *rows)
    [ax] = plot_frame(run, result_of(run)).axes
    labels = [label.get_text() for label in ax.get_yticklabels()]
    widths = [patch.get_width() for patch in ax.patches]
    assert len(labels) == 20
    assert labels == [*sorted(labels[:-1]), "(all others)"]
    assert (widths[labels.index("v29")], widths[labels.index("v07")]) == (3, 2)
    assert sum(widths) == 33


def test_without_anything_to_plot_an_error_says_so():
    run = run_of("name: str", row(0, {"name": "x"}))
    with pytest.raises(FrameError, match="nothing to plot"):
        plot_frame(run, result_of(run))


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r'pip install "steermagic\[plot\]"'):
        plot_frame(MOODS, FRAME)


def test_a_frame_of_a_session_plots_itself(wishing):
    schema = FoundSchema(read_schema('mood: "glad" | "sad"'))
    frame = wishing({"mood": "sad"}).answer(Job(("How?",), schema, SteerOptions()))
    titles = [ax.get_title(loc="left") for ax in frame.steer.plot().axes]
    assert titles == ["mood", "mood: confidence"]
