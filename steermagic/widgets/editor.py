"""The schema editor: rows in a page, a schema for `%%steer`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from html import escape
from typing import Any

from steer_engine import Schema, SchemaError
from steermagic.cell import SchemaText
from steermagic.errors import CommandError, did_you_mean
from steermagic.inference import infer_schema
from steermagic.job import Job
from steermagic.options import read_options
from steermagic.prompt import interpolate, user_names
from steermagic.schemas import FoundSchema, find_schema, read_source
from steermagic.session import Session, shared_session
from steermagic.widgets.answering import answer
from steermagic.widgets.editor_fields import BOUNDS, KINDS
from steermagic.widgets.editor_state import EditorState, edited, forms_of, opened
from steermagic.widgets.panel import Bundle, Panel, bundle, namespace

_NEW = "name: str"
_PROMPT = "Extract the fields from this text:\n{{ text }}"


class SchemaEditor:
    """A schema whose fields are edited as rows; ``%%steer editor`` uses what it is by then.

    `schema` is whatever `%%steer` takes: text in any form, a dict, a Pydantic model, dataclass or
    TypedDict. What has no row of its own is shown as text, and what is not edited stays as it was.
    As the last line of a cell the editor is shown; where no page is, its fields are.

    Raises:
        SchemaError: `schema` cannot be read.
    """

    def __init__(self, schema: object = None, *, session: Session | None = None) -> None:
        given = _NEW if schema is None else schema
        self._state = opened(read_source(given).schema)
        self._answered: Schema | None = None  # what the answer in the page is of
        self._session = session

    @property
    def schema(self) -> Schema:
        """What the rows say. Setting it takes whatever the constructor takes.

        Raises:
            SchemaError: the rows say nothing that can be used; the page says the same.
        """
        if self._state.problem:
            raise SchemaError(f"the schema editor has a problem: {self._state.problem}")
        return self._state.schema

    @schema.setter
    def schema(self, schema: object) -> None:
        self._show(opened(read_source(schema).schema))

    @property
    def text(self) -> str:
        """The schema as JSON text; fields are in the order of the rows."""
        return self.schema.text

    def infer(self, examples: object) -> SchemaEditor:
        """Take on the schema of examples: JSON text, a dict, a list, or a table of any library.

        Returns the editor itself.

        Raises:
            SchemaError: they say nothing.
        """
        self._show(opened(infer_schema(examples)))
        return self

    @cached_property
    def panel(self) -> Panel:
        """The widget's kernel side; it is made when it is first asked for."""
        return Panel(
            "editor",
            state=self._state.rows,
            data={"kinds": KINDS, "bounded": [*BOUNDS], **self._data()},
            edit=self._edit,
            act=self._act,
        )

    @property
    def widget(self) -> Any:  # noqa: ANN401 - anywidget has no types
        """The anywidget; ``mo.ui.anywidget(editor.widget)`` shows it in marimo."""
        return self.panel.widget

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        return bundle(self._html(), repr(self), lambda: self.widget)

    def __repr__(self) -> str:
        if self._state.problem:
            return f"SchemaEditor with a problem: {self._state.problem}"
        forms = forms_of(self._state.schema)
        return f"SchemaEditor\n{forms['compact'] or forms['json']}"

    def _html(self) -> str:
        _, _, text = repr(self).partition("\n")
        shown = f'<pre style="margin:0">{escape(text)}</pre>' if text else escape(repr(self))
        return (
            '<div style="border:1px solid rgba(128,128,128,.4);border-radius:6px;padding:6px 10px">'
            f"<div><b>Schema</b></div>{shown}</div>"
        )

    def _data(self) -> dict[str, object]:
        schema = self._state.schema
        is_old = self._answered not in (None, schema)
        return {"forms": forms_of(schema), "rows_problem": self._state.problem, "is_old": is_old}

    def _show(self, state: EditorState) -> None:
        self._state = state
        if "panel" in self.__dict__:
            self.panel.set_state(state.rows)
            self.panel.show(**self._data())

    def _edit(self, rows: str) -> None:
        if rows != self._state.rows:
            self._state = edited(self._state, rows)
            self.panel.show(note="", **self._data())

    def _act(self, asked: Mapping[str, Any]) -> None:
        text = str(asked["text"]).strip()
        if not text:
            raise CommandError("write something into the box first")
        self.panel.show(note="")
        match asked["kind"]:
            case "infer":
                self.infer(_example(text))
                self.panel.show(note="this is the schema of the example")
            case "read":
                written = SchemaText(text, line=1)
                self._show(opened(find_schema(written, namespace()).schema))
            case "run":
                self._run(text)

    def _run(self, text: str) -> None:
        session = self._session or shared_session()
        prompt = interpolate(_PROMPT, {"text": text})
        options = read_options({}, session.settings())
        job = Job((prompt,), FoundSchema(self.schema), options)
        given = answer(session, job).packed()
        self._answered = job.found.schema
        self.panel.show(answer=given, **self._data())


def _example(text: str) -> object:
    """Return the variable that `text` is the name of, else `text` itself."""
    names = namespace()
    if text.isidentifier() and text not in names:
        hint = did_you_mean(text, user_names(names))
        raise CommandError(f"there is no variable {text!r}{hint}")
    return names.get(text, text)
