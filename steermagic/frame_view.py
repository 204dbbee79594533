"""A frame to look at: static HTML with what is known of its columns and cells behind them.

As the steering view it has inline styles, `title` and simple tags only, which untrusted notebooks
keep. Long texts are folded into `<details>`, which opens by keyboard and needs no script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from numbers import Integral
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import numpy as np

from steer_engine import ColumnKind
from steermagic.errors import OptionError
from steermagic.frame_facts import CellFacts, ColumnFacts, cell_facts, column_facts
from steermagic.picture import STYLES
from steermagic.pieces import percent
from steermagic.printable import NO_FORMULAS, printable
from steermagic.runs import Run
from steermagic.sameness import is_same

if TYPE_CHECKING:
    import pandas as pd

_LONG = 120  # characters that a cell shows
_MAX_TEXT = 5_000  # characters that are kept of a folded text
_MAX_LINK = 2_000
_MAX_NAME = 80
_MAX_TITLE = 600
_ADDRESS = re.compile(r"https?://[^\s\\<>\"'`{}|^]+", re.IGNORECASE)
_NUMBERS = (ColumnKind.INTEGER, ColumnKind.NUMBER)
_PADDED = "padding:3px 12px 3px 0;vertical-align:top"
_HEAD = f"{_PADDED};border-bottom:1px solid rgba(128,128,128,.5);font-weight:600"
_STYLES: Mapping[str, str] = {
    "rows": "overflow-x:auto",
    "table": "border-collapse:collapse;margin:4px 0;font-size:90%",
    "head": f"{_HEAD};text-align:left",
    "number-head": f"{_HEAD};text-align:right",
    "label": f"{_PADDED};text-align:left;font-weight:600",
    "text": f"{_PADDED};text-align:left;white-space:pre-wrap;overflow-wrap:anywhere;max-width:28em",
    "number": f"{_PADDED};text-align:right;white-space:nowrap",
    "row": "border-bottom:1px solid rgba(128,128,128,.15)",
    "null": "opacity:.7;font-style:italic",
    "doubtful": STYLES["narrowed"],
    "link": "color:inherit;text-decoration:underline",
    "fold": "cursor:pointer",
    "folded": "white-space:pre-wrap;overflow-wrap:anywhere;max-height:17em;overflow:auto;"
    "margin-top:4px;padding-left:8px;border-left:2px solid rgba(128,128,128,.5)",
    "note": "font-size:85%;opacity:.7",
}


@dataclass(frozen=True, slots=True)
class FrameView:
    """The first `max_rows` rows and `max_columns` columns of a frame; None shows all."""

    run: Run
    frame: pd.DataFrame
    max_rows: int | None
    max_columns: int | None

    def _repr_html_(self) -> str:
        known, shown = column_facts(self.run), self._shown()
        facts = cell_facts(self.run, self.frame, n_rows=len(shown))
        columns = [known.get(_named(name)) for name in shown.columns]
        heads = zip(shown.columns, columns, shown.dtypes, strict=True)
        head = "".join(_head(name, column, dtype) for name, column, dtype in heads)
        corner = _tag("th", "head", _name(_index_name(shown)), scope="col")
        body = "".join(
            _tag("tr", "row", _row(label, values, columns, row_facts, self._doubtful_below))
            for label, values, row_facts in zip(shown.index, _values(shown), facts, strict=True)
        )
        table = (
            f'<table style="{_STYLES["table"]}"><thead><tr>{corner}{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>"
        )
        notes = "".join(_tag("div", "note", escape(note)) for note in self._notes())
        rows = _scrolling("rows", table, "the rows of the frame")
        return f'<div class="{NO_FORMULAS}">{rows}{notes}{_legend(columns)}</div>'

    def __repr__(self) -> str:
        shown = self._shown()
        named = shown.set_axis([printable(str(n), _MAX_NAME) for n in shown.columns], axis=1)
        return "\n".join([printable(repr(named)), *self._more()])

    def _shown(self) -> pd.DataFrame:
        return self.frame.iloc[: self.max_rows, : self.max_columns]

    @property
    def _doubtful_below(self) -> float:
        return self.run.job.options.min_confidence or 0.0

    def _more(self) -> Iterator[str]:
        n_rows, n_columns = self.frame.shape
        if self.max_rows is not None and n_rows > self.max_rows:
            yield f"… {n_rows - self.max_rows} more rows: show(rows={n_rows}) has them"
        if self.max_columns is not None and n_columns > self.max_columns:
            yield f"… {n_columns - self.max_columns} more columns: show(columns={n_columns})"

    def _notes(self) -> Iterator[str]:
        yield from self._more()
        if self._doubtful_below:
            yield f"underlined with dashes: a confidence below {self._doubtful_below:g}"


def frame_view(
    run: Run, frame: pd.DataFrame, *, rows: int | None = None, columns: int | None = None
) -> FrameView:
    """Return the view of `frame`, as large as pandas would show it if nothing else is said.

    Raises:
        OptionError: `rows` or `columns` is no number of them.
    """
    return FrameView(run, frame, _limit("rows", rows), _limit("columns", columns))


def http_address(text: str) -> str | None:
    """Return `text` if a link to it is what it looks like; else None.

    That is one address of http or https, without a user name ahead of the host, which is in ASCII.
    """
    if len(text) > _MAX_LINK or printable(text) != text or not _ADDRESS.fullmatch(text):
        return None
    try:
        place = urlsplit(text)
    except ValueError:  # brackets that hold no address
        return None
    is_plain = bool(place.hostname) and place.netloc.isascii() and "@" not in place.netloc
    return text if is_plain else None


def _limit(name: str, given: int | None) -> int | None:
    """Return how many are shown; None is all."""
    import pandas as pd

    if given is None:
        return pd.get_option(f"display.max_{name}") or None
    if not isinstance(given, Integral) or given < 1:
        raise OptionError(f"{name} must be a whole number above 0, not {given!r}")
    return int(given)


def _values(frame: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    # Column by column: rows of a frame would turn integers into floats.
    columns = [frame.iloc[:, nth].array for nth in range(frame.shape[1])]
    return zip(*columns, strict=True) if columns else iter([()] * len(frame))


def _row(
    label: Hashable,
    values: Sequence[object],
    columns: Sequence[ColumnFacts | None],
    facts: Mapping[str, CellFacts],
    doubtful_below: float,
) -> str:
    cells = (
        _cell(value, column, facts.get(column.name) if column else None, doubtful_below)
        for value, column in zip(values, columns, strict=True)
    )
    return _tag("th", "label", _name(_spelled(label)), scope="row") + "".join(cells)


def _cell(
    value: object, column: ColumnFacts | None, facts: CellFacts | None, doubtful_below: float
) -> str:
    kind = None if column is None else column.kind
    title, is_doubtful = "", False
    if facts is not None:
        has_changed = not is_same(facts.written, value)
        title = _changed(facts, kind) if has_changed else _story(facts)
        is_doubtful = not has_changed and facts.confidence < doubtful_below
    content = _content(value, kind, has_failed=bool(facts and facts.failure))
    content = _tag("span", "doubtful", content) if is_doubtful else content
    return _tag("td", "number" if kind in _NUMBERS else "text", content, title=title)


def _story(facts: CellFacts) -> str:
    if facts.failure:
        return f"failed: {facts.failure}"
    parts = []
    if facts.confidence == facts.confidence:  # not NaN
        parts.append(f"confidence ({percent(facts.confidence)})")
    if facts.source:
        parts.append(f"copied from {facts.source}")
    return " · ".join(parts)


def _changed(facts: CellFacts, kind: ColumnKind | None) -> str:
    return f"changed since; the run had: {_spelled(facts.written, kind) or 'nothing'}"


def _content(value: object, kind: ColumnKind | None, *, has_failed: bool) -> str:
    text = _spelled(value, kind)
    if text is None:
        return _tag("span", "null", "failed" if has_failed else "null")
    if address := http_address(text):
        words = escape(printable(text, _LONG))
        return _tag("a", "link", words, href=address, rel="noopener noreferrer", target="_blank")
    if len(text) <= _LONG and text.count("\n") < 4:
        return escape(printable(text))
    return _folded(text)


def _folded(text: str) -> str:
    start = " ".join(text[:_LONG].split())
    summary = _tag("summary", "fold", f"{escape(printable(start))} …")
    length = f" ({len(text):,} characters, cut here)" if len(text) > _MAX_TEXT else ""
    whole = escape(printable(text, _MAX_TEXT)) + length
    return f"<details>{summary}{_scrolling('folded', whole, 'the whole text')}</details>"


def _spelled(value: object, kind: ColumnKind | None = None) -> str | None:
    """Return a value as a reader writes it, None where there is none."""
    import pandas as pd

    if isinstance(value, list | dict | np.ndarray) or (
        kind is ColumnKind.LIST and isinstance(value, tuple)
    ):
        text = json.dumps(value, ensure_ascii=False, default=_plain)
    elif pd.api.types.is_scalar(value) and pd.isna(cast("float", value)):
        return None
    elif kind is ColumnKind.DATE and isinstance(value, pd.Timestamp):
        text = value.date().isoformat()
    else:
        text = str(value)
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be sent


def _plain(value: Any) -> object:  # noqa: ANN401 - of any type
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def _head(name: Hashable, column: ColumnFacts | None, dtype: object) -> str:
    said = str(dtype) if column is None else column.type
    if column is not None and column.description:
        said = f"{said}: {column.description}"
    is_number = column is not None and column.kind in _NUMBERS
    style = "number-head" if is_number else "head"
    return _tag("th", style, _name(_spelled(name)), title=said, scope="col")


def _legend(columns: Sequence[ColumnFacts | None]) -> str:
    """Return the columns' types and descriptions once more, for whoever cannot point at them."""
    known = [column for column in columns if column is not None]
    if not known:
        return ""
    rows = "".join(
        _tag(
            "tr",
            "row",
            _tag("th", "label", _name(column.name), scope="row")
            + _tag("td", "text", escape(printable(column.type, _MAX_TITLE)))
            + _tag("td", "text", escape(printable(column.description, _MAX_TITLE))),
        )
        for column in known
    )
    toggle = f'<summary style="{STYLES["toggle"]}">what the columns are</summary>'
    return f'<details>{toggle}<table style="{_STYLES["table"]}">{rows}</table></details>'


def _index_name(frame: pd.DataFrame) -> str:
    return ", ".join(str(name) for name in frame.index.names if name is not None)


def _named(name: Hashable) -> str:
    return name if isinstance(name, str) else ""


def _name(text: str | None) -> str:
    return escape(printable(text or "", _MAX_NAME))


def _scrolling(style: str, content: str, label: str) -> str:
    """Return a part that arrow keys can scroll, too."""
    attributes = {"tabindex": "0", "role": "group", "aria-label": label}
    return _tag("div", style, content, **attributes)


def _tag(name: str, style: str, content: str, *, title: str = "", **attributes: str) -> str:
    """Return an element; `content` is HTML, the attributes are any text."""
    if title:
        attributes["title"] = printable(title, _MAX_TITLE)
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f'<{name} style="{_STYLES[style]}"{written}>{content}</{name}>'
