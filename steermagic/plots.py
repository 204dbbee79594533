"""`df.steer.plot()`: small pictures of what a run gave, side by side.

matplotlib is imported when a figure is made. pyplot is not used: it would keep the figure, and may
open a window.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from steer_engine import Column, ColumnKind, TruncatedError, column_plan
from steermagic.confidences import confidence_frame
from steermagic.conversions import require
from steermagic.errors import FrameError
from steermagic.judgements import lost_rows
from steermagic.origins import on_frame
from steermagic.printable import printable
from steermagic.runs import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_N_ACROSS = 3
_MAX_PANELS = 30
_MIN_BARS, _MAX_BARS = 4, 20  # that a panel has room for
_MAX_LABEL = 24  # characters
_INCHES = (3.6, 2.6)  # of one panel
_N_BINS = 20
# A "$" or a "\" of somebody's text is no formula.
_AS_IT_IS: Mapping[str, Any] = {"parse_math": False, "usetex": False}
_COLOURS = {"bars": "#4285f4", "confidence": "#34a853", "failures": "#e68200"}


@dataclass(frozen=True, slots=True)
class Bars:
    """How often each of several texts occurs."""

    title: str
    counts: Sequence[tuple[str, int]]
    colour: str = _COLOURS["bars"]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How sure the model was of the values of one column."""

    title: str
    probs: Sequence[float]


Panel: TypeAlias = Bars | Histogram


def plot_frame(run: Run, frame: pd.DataFrame) -> Figure:
    """Return a figure with a panel for each of `panels`, the first 30 of them.

    Raises:
        FrameError: there are none, or the index of the frame was replaced.
        MissingExtraError: matplotlib is not installed.
    """
    require("matplotlib", extra="plot")
    found = panels(run, frame)
    if not found:
        raise FrameError(
            "there is nothing to plot: no enum or boolean, no confidence, and no row that failed"
        )
    return _figure(found[:_MAX_PANELS])


def panels(run: Run, frame: pd.DataFrame) -> list[Panel]:
    """Return what there is to see of `frame`, which is that of the run, or made from it.

    Raises:
        FrameError: the index was replaced, so that nobody can tell which row is which.
    """
    n_columns = Counter[Hashable](frame.columns)
    columns = [column for column in column_plan(run.row_schema) if n_columns[column.name] == 1]
    probs = on_frame(confidence_frame(run, "mean"), run, frame)
    counted = [
        Bars(column.name, _counts(frame[column.name], column))
        for column in columns
        if column.kind in (ColumnKind.CATEGORY, ColumnKind.BOOLEAN)
    ]
    sure = [
        Histogram(f"{column.name}: confidence", probs[column.name].dropna().tolist())
        for column in columns
        if probs[column.name].notna().any()
    ]
    errors, lost = run.errors.items(), lost_rows(run, frame)
    reasons = Counter(_reason(error) for number, error in errors if number not in lost)
    failed = [Bars("failures", reasons.most_common(), _COLOURS["failures"])] if reasons else []
    return [*counted, *failed, *sure]


def _counts(values: pd.Series, column: Column) -> list[tuple[str, int]]:
    """Return how often each value of the schema occurs, then what else somebody wrote, then null.

    Edited columns may have values of any type.
    """
    known = column.categories or ("False", "True")
    counts = Counter(map(str, values.dropna()))
    others = sorted(counts.keys() - {*known})
    n_null = int(values.isna().sum())
    null = [("null", n_null)] if n_null else []
    return [*((text, counts[text]) for text in (*known, *others)), *null]


def _reason(error: Exception) -> str:
    return "cut short" if isinstance(error, TruncatedError) else type(error).__name__


def _figure(found: Sequence[Panel]) -> Figure:
    n_across = min(len(found), _N_ACROSS)
    n_down = -(-len(found) // n_across)
    width, height = _INCHES
    figure = _figure_class()(figsize=(width * n_across, height * n_down), layout="constrained")
    axes = figure.subplots(n_down, n_across, squeeze=False).flat
    for panel, ax in zip(found, axes, strict=False):
        _draw(panel, ax)
    for ax in [*axes]:
        ax.set_axis_off()  # places of the last line that are left
    return figure


def _draw(panel: Panel, ax: Axes) -> None:
    ax.set_title(_label(panel.title), loc="left", fontsize="medium", **_AS_IT_IS)
    ax.spines[["top", "right"]].set_visible(False)
    if isinstance(panel, Bars):
        _draw_bars(panel, ax)
    else:
        ax.hist(panel.probs, bins=_N_BINS, range=(0, 1), color=_COLOURS["confidence"])
        ax.set_xlabel("confidence of a value")
        ax.set_ylabel("values")
        _count_whole(ax.yaxis)


def _draw_bars(bars: Bars, ax: Axes) -> None:
    labels, counts = zip(*_largest(bars.counts), strict=True)
    ax.barh(range(len(counts)), counts, color=bars.colour)
    ax.set_yticks(range(len(counts)), [*map(_label, labels)], **_AS_IT_IS)
    ax.set_ylim(max(len(counts), _MIN_BARS) - 0.5, -0.5)  # the first on top
    ax.set_xlabel("rows")
    _count_whole(ax.xaxis)


def _count_whole(axis: Axis) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", integer=True))


def _largest(counts: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
    """Return the largest of many counts in their order, and the sum of the others."""
    if len(counts) <= _MAX_BARS:
        return counts
    by_size = sorted(range(len(counts)), key=lambda nth: -counts[nth][1])
    kept = sorted(by_size[: _MAX_BARS - 1])
    n_others = sum(counts[nth][1] for nth in by_size[_MAX_BARS - 1 :])
    return [*(counts[nth] for nth in kept), ("(all others)", n_others)]


def _label(text: str) -> str:
    return " ".join(printable(text, _MAX_LABEL).split())


def _figure_class() -> Callable[..., Figure]:
    from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        """A figure that a notebook shows without pyplot's integration having been switched on."""

        def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
            file = io.BytesIO()
            self.savefig(file, format="png", dpi=100)
            titles = ", ".join(ax.get_title(loc="left") for ax in self.axes if ax.axison)
            return file.getvalue(), {"alt": f"plots of {titles}"}

    return NotebookFigure
