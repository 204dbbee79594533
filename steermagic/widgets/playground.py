"""The playground: one prompt and one schema under two settings, side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from html import escape
from typing import Any

from steer_engine import EMBEDDED, SteerError, write_json, write_notation
from steermagic.cell import SchemaText
from steermagic.errors import CommandError, SteerCancelled
from steermagic.job import Job
from steermagic.prompt import interpolate
from steermagic.schemas import find_schema, read_source
from steermagic.session import Session, shared_session
from steermagic.widgets.answering import answer
from steermagic.widgets.panel import Bundle, Panel, bundle, namespace
from steermagic.widgets.playground_cells import NAMES, read_setting, read_state, written_cell

_SCHEMA = "name: str\nborn: int | None"
_PROMPT = "Extract the fields from this text:\nAda Lovelace was born in 1815."


class Playground:
    """What `playground` returns; as the last line of a cell it is shown."""

    def __init__(
        self, schema: str, prompt: str, models: Sequence[str | None], session: Session
    ) -> None:
        settings = [{**dict.fromkeys(NAMES, ""), "model": model or ""} for model in models]
        self._state = json.dumps({"schema": schema, "prompt": prompt, "settings": settings})
        self._session = session
        self._answers: list[dict[str, object] | None] = [None] * len(settings)

    @cached_property
    def panel(self) -> Panel:
        """The widget's kernel side; it is made when it is first asked for."""
        loaded = (*self._session.aliases, *self._session.loaded())
        data = {
            "models": [*dict.fromkeys((self._session.spec(None), EMBEDDED, *loaded))],
            "cells": self._cells(),
            "answers": self._answers,
        }
        return Panel("playground", state=self._state, data=data, edit=self._edit, act=self._act)

    @property
    def widget(self) -> Any:  # noqa: ANN401 - anywidget has no types
        """The anywidget; ``mo.ui.anywidget(playground().widget)`` shows it in marimo."""
        return self.panel.widget

    def cell(self, number: int = 0) -> str:
        """Return the cell that asks the same as that setting, counted from 0."""
        return self._cells()[number]

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        html = f'<pre style="margin:0">{escape(repr(self))}</pre>'
        return bundle(html, repr(self), lambda: self.widget)

    def __repr__(self) -> str:
        return "\n\n".join(["Playground", *dict.fromkeys(self._cells())])

    def _cells(self) -> list[str]:
        schema, prompt, settings = read_state(self._state)
        return [written_cell(schema, prompt, setting) for setting in settings]

    def _edit(self, state: str) -> None:
        read_state(state)
        self._state = state
        self.panel.show(cells=self._cells())

    def _act(self, asked: Mapping[str, Any]) -> None:
        for number in asked["settings"]:
            self._answers[number] = None
            cell = self.cell(number)  # for the page to see whether it has changed since
            try:
                given = answer(self._session, self._job(number)).packed()
            except SteerCancelled as error:
                self._show_answer(number, {"problem": str(error), "cell": cell})
                return  # of all that was asked for
            except SteerError as error:
                given = {"problem": str(error)}
            self._show_answer(number, {**given, "cell": cell})

    def _show_answer(self, number: int, given: dict[str, object]) -> None:
        self._answers[number] = given
        self.panel.show(answers=self._answers)

    def _job(self, number: int) -> Job:
        schema, prompt, settings = read_state(self._state)
        if not schema.strip() or not prompt.strip():
            raise CommandError("write a schema and a prompt first")
        options = read_setting(settings[number], self._session.settings())
        found = find_schema(SchemaText(schema, line=1), namespace())
        return Job((interpolate(prompt, namespace()),), found, options)


def playground(
    schema: object = None,
    prompt: str = _PROMPT,
    *,
    models: tuple[str | None, str | None] = (None, None),
    session: Session | None = None,
) -> Playground:
    """Return a playground: a prompt and a schema, answered under two settings side by side.

    `schema` is whatever `%%steer` takes, or a schema editor. `models` are the two to compare, by
    default the one in use. ``{{ x }}`` in the prompt is an expression of the notebook.

    Raises:
        SchemaError: `schema` cannot be read.
    """
    if schema is None:
        text = _SCHEMA
    elif isinstance(schema, str):
        text = schema
    else:
        read = read_source(schema).schema
        text = write_notation(read) or write_json(read, indent=2)
    return Playground(text, prompt, models, session or shared_session())
