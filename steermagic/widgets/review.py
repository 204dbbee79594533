"""The review of a run's rows: the least sure first, each beside the text that was asked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from steer_engine import JsonValue
from steermagic.errors import CommandError, StoreError
from steermagic.judgements import (
    VERDICTS,
    Judgement,
    JudgementStore,
    Key,
    check_value,
    is_same,
    keys_in,
    read_correction,
    reviewed_frame,
    value_after,
)
from steermagic.pieces import percent
from steermagic.printable import printable
from steermagic.runs import Run
from steermagic.widgets.panel import Bundle, Panel, bundle
from steermagic.widgets.review_items import (
    Item,
    columns_to_review,
    items_to_review,
    marked_sources,
    shown_values,
)

if TYPE_CHECKING:
    import pandas as pd


class Review:
    """What `df.steer.review()` returns; as the last line of a cell it is shown.

    Each verdict is stored at once. `reviewed` is the run's frame with what was corrected.
    """

    def __init__(
        self, run: Run, frame: pd.DataFrame, open_store: Callable[[], JudgementStore]
    ) -> None:
        self._run, self._open_store = run, open_store
        self._keys = keys_in(run, frame)
        self._items = items_to_review(run, self._keys)
        self._judged = dict[Key, Judgement]()  # what the page shows; others may judge meanwhile
        self._store: JudgementStore | None = None  # where that was read

    @property
    def reviewed(self) -> pd.DataFrame:
        """The run's frame with what was corrected, and a column of the verdicts.

        Raises:
            StoreError: they cannot be read.
        """
        return reviewed_frame(self._run, self._stored())

    @cached_property
    def panel(self) -> Panel:
        """The widget's kernel side; it is made when it is first asked for."""
        self._judged, error = self._known()
        first = next((n for n, item in enumerate(self._items) if item.key not in self._judged), 0)
        data = {"items": self._list(), "item": self._shown(first), "problem": str(error or "")}
        return Panel("review", state=str(first), data=data, edit=self._go, act=self._act)

    @property
    def widget(self) -> Any:  # noqa: ANN401 - anywidget has no types
        """The anywidget; ``mo.ui.anywidget(review.widget)`` shows it in marimo."""
        return self.panel.widget

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        import pandas as pd

        frame = reviewed_frame(self._run, self._known()[0], keys=self._keys)
        # Without HTML there is nothing to fall back on; amounts of money are no formulas.
        options = ("display.notebook_repr_html", True, "display.html.use_mathjax", False)
        with pd.option_context(*options):
            html = frame._repr_html_()  # type: ignore[operator] # pandas' stubs lack it
        return bundle(html, repr(self), lambda: self.widget)

    def __repr__(self) -> str:
        n_items, (judged, error) = len(self._items), self._known()
        verdicts = [judged[item.key].verdict for item in self._items if item.key in judged]
        counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in VERDICTS]
        problem = f"; {error}" if error else ""
        return f"Review of {n_items} row{'s' * (n_items != 1)}: {', '.join(counts)}{problem}"

    def _stored(self) -> dict[Key, Judgement]:
        store = self._open_store()
        stored = dict(store.judgements(self._run.id))
        if store is not self._store:
            # The file was deleted or replaced in the middle of the review, unless this begins it.
            for key in self._judged.keys() - stored.keys():
                store.judge(self._run.id, key, self._judged[key])
            self._store, stored = store, {**self._judged, **stored}
        return stored

    def _known(self) -> tuple[dict[Key, Judgement], StoreError | None]:
        """Return what is stored, or what was known before and why that cannot be read."""
        try:
            return self._stored(), None
        except StoreError as error:
            return self._judged, error

    def _list(self) -> list[dict[str, str]]:
        return [
            {
                "label": self._label(item),
                "sure": "" if item.sure is None else percent(item.sure),
                "verdict": self._verdict(item),
            }
            for item in self._items
        ]

    def _label(self, item: Item) -> str:
        number, nth = item.key
        over = self._run.job.over
        label = str(number + 1) if over is None else printable(str(over.label(number)), 40)
        return label if nth < 0 else f"{label} · {nth + 1}"

    def _verdict(self, item: Item) -> str:
        judgement = self._judged.get(item.key)
        return "" if judgement is None else judgement.verdict

    def _value(self, item: Item) -> JsonValue:
        judgement = self._judged.get(item.key)
        return item.value if judgement is None else judgement.value

    def _problem(self, item: Item, value: JsonValue) -> str | None:
        return check_value(self._run, self._judged, value, key=item.key)

    def _shown(self, number: int) -> dict[str, object] | None:
        if not self._items:
            return None
        item = self._items[number]
        return {
            "number": number,
            "values": shown_values(
                self._run, item, self._value(item), partial(self._problem, item)
            ),
            "sources": marked_sources(self._run, item),
        }

    def _go(self, state: str) -> None:
        number = int(state) if state.isdecimal() else -1
        if not 0 <= number < len(self._items):
            raise CommandError(f"there is no row {state!r} to review")
        self._judged, error = self._known()
        self._show(number)
        if error:
            raise error

    def _show(self, number: int) -> None:
        self.panel.show(items=self._list(), item=self._shown(number))

    def _act(self, asked: Mapping[str, Any]) -> None:
        number = int(asked["number"])
        item = self._items[number]
        seen, self._judged = self._judged.get(item.key), self._stored()
        if self._judged.get(item.key) != seen:
            self._show(number)
            raise CommandError("it was judged elsewhere since; look at it again")
        match asked["kind"]:
            case "judge" if asked["verdict"] in VERDICTS:
                self._judge(item, Judgement(asked["verdict"], self._value(item)))
                # Not by the page: what could not be kept has to stay in sight, with the reason.
                number = min(number + 1, len(self._items) - 1)
            case "judge":
                self._judge(item, None)
            case "correct":
                self._correct(item, str(asked["name"]), str(asked["text"]))
        if self.panel.widget.state == str(number):
            self._show(number)
        else:
            self.panel.set_state(str(number))  # which shows it

    def _correct(self, item: Item, name: str, text: str) -> None:
        value, problem_of = self._value(item), partial(self._problem, item)
        columns = columns_to_review(self._run, value, problem_of)
        column = next((each for each in columns if each.name == name), None)
        if column is None:
            raise CommandError(f"{name} has gone with another correction; correct what holds it")
        changed = read_correction(text, column, value, problem_of)
        is_back = is_same(changed, item.value)
        self._judge(item, None if is_back else Judgement("corrected", changed))

    def _judge(self, item: Item, judgement: Judgement | None) -> None:
        if judgement is not None and judgement.verdict == "accepted":
            is_changed = not is_same(judgement.value, item.value)
            judgement = replace(judgement, verdict="corrected") if is_changed else judgement
        before, after = (
            value_after(each, item.value) for each in (self._judged.get(item.key), judgement)
        )
        # What was valid may not be by now, beside items that were corrected since.
        if not is_same(before, after) and (problem := self._problem(item, after)):
            raise CommandError(f"it cannot stand beside the other items: {problem}; correct those")
        self._open_store().judge(self._run.id, item.key, judgement)
        self._judged.pop(item.key, None)
        if judgement is not None:
            self._judged[item.key] = judgement
