"""How far confidences are from how often values are right: bins, figures and the diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

N_BINS = 10
THRESHOLDS = (0.5, 0.7, 0.9)

_SIZE, _LEFT, _TOP = 360, 56, 56  # of the square that the diagram is, and where it begins
_COLOURS = ("#1f5fbf", "#c2571a")


@dataclass(frozen=True, slots=True)
class Judged:
    """One value that a model wrote: how probable it found it, between 0 and 1, and the truth."""

    confidence: float
    is_right: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """The values whose confidence is between `low` and `low` + 1 / `N_BINS`."""

    low: float
    values: tuple[Judged, ...]

    @property
    def confidence(self) -> float:
        """The mean confidence; a bin that is shown is not empty."""
        return sum(value.confidence for value in self.values) / len(self.values)

    @property
    def right(self) -> float:
        """The share of values that are right."""
        return sum(value.is_right for value in self.values) / len(self.values)


def bins_of(values: Sequence[Judged]) -> list[Bin]:
    """Return the bins that hold any of `values`, from 0 to 1."""
    binned: list[list[Judged]] = [[] for _ in range(N_BINS)]
    for value in values:
        binned[min(int(value.confidence * N_BINS), N_BINS - 1)].append(value)
    return [Bin(n / N_BINS, tuple(each)) for n, each in enumerate(binned) if each]


def calibration_error(values: Sequence[Judged]) -> float:
    """Return the expected calibration error: how far the bins are off, each by its weight."""
    bins = bins_of(values)
    return sum(len(b.values) * abs(b.confidence - b.right) for b in bins) / max(1, len(values))


def figures(values: Sequence[Judged]) -> dict[str, object]:
    """Return the figures of some values as JSON; all shares are between 0 and 1."""
    n_wrong = sum(not value.is_right for value in values)
    review = {}
    for threshold in THRESHOLDS:
        below = [value for value in values if value.confidence < threshold]
        n_found = sum(not value.is_right for value in below)
        review[str(threshold)] = {
            "read": round(len(below) / max(1, len(values)), 4),
            "wrong_found": round(n_found / max(1, n_wrong), 4),
        }
    return {
        "n": len(values),
        "right": round(1 - n_wrong / max(1, len(values)), 4),
        "calibration_error": round(calibration_error(values), 4),
        "bins": [
            {
                "n": len(each.values),
                "confidence": round(each.confidence, 4),
                "right": round(each.right, 4),
            }
            for each in bins_of(values)
        ],
        "review": review,
    }


def as_table(values: Sequence[Judged]) -> str:
    """Return the bins as a Markdown table."""
    rows = [
        f"| {each.low:.1f} to {each.low + 1 / N_BINS:.1f} | {len(each.values):6,d} |"
        f" {each.confidence:.3f} | {each.right:.3f} |"
        for each in bins_of(values)
    ]
    head = ("| confidence | values | mean confidence | share right |", "|---|---|---|---|")
    return "\n".join((*head, *rows))


def as_svg(series: Mapping[str, Sequence[Judged]], *, title: str) -> str:
    """Return the reliability diagram: one line a series, a dot a bin, its area the number in it."""
    parts = [_frame(title)]
    for nth, (name, values) in enumerate(series.items()):
        colour, bins = _COLOURS[nth % len(_COLOURS)], bins_of(values)
        points = [(_x(each.confidence), _y(each.right)) for each in bins]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        )
        for each, (x, y) in zip(bins, points, strict=True):
            radius = 2.5 + 12 * (len(each.values) / len(values)) ** 0.5
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}"'
                f' fill-opacity="0.35" stroke="{colour}"><title>{len(each.values)} values</title>'
                "</circle>"
            )
        parts.append(_text(name, _LEFT + 12, _TOP + 20 + 18 * nth, colour=colour))
    return "\n".join((*parts, "</svg>\n"))


def _frame(title: str) -> str:
    """Return the beginning of the picture: axes, grid, and the line where both are equal."""
    width, height = _LEFT + _SIZE + 24, _TOP + _SIZE + 52
    ticks = [n / 5 for n in range(6)]
    grid = "".join(
        f'<path d="M{_x(t)} {_y(0)}V{_y(1)}M{_x(0)} {_y(t)}H{_x(1)}" stroke="#e4e4e4"/>'
        + _text(f"{t:.1f}", _x(t), _y(0) + 18, anchor="middle")
        + _text(f"{t:.1f}", _x(0) - 8, _y(t) + 4, anchor="end")
        for t in ticks
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' font-family="sans-serif" font-size="12"><title>{escape(title)}</title>\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{grid}\n'
        f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" stroke="#888" stroke-dasharray="5 4"/>\n'
        + _text(title, _LEFT, 28, size=14)
        + _text("mean confidence", _LEFT + _SIZE / 2, _y(0) + 40, anchor="middle")
        + _text("share of values that are right", _LEFT, _TOP - 10)
    )


def _x(share: float) -> float:
    return round(_LEFT + _SIZE * share, 1)


def _y(share: float) -> float:
    return round(_TOP + _SIZE * (1 - share), 1)


def _text(
    text: str,
    x: float,
    y: float,
    *,
    anchor: str = "start",
    colour: str = "#333",
    size: int = 12,
) -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">'
        f"{escape(text)}</text>"
    )
