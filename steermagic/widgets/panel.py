"""A widget that is a tool and not a picture: state that both sides write, and things to do.

It exists only where a page shows it: what a kernel without one shows is HTML, and nothing of a
widget is saved.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from steer_engine import SteerError
from steermagic.progress import is_watched

_STATIC = Path(__file__).parent / "static"
Bundle: TypeAlias = tuple[dict[str, object], dict[str, object]]


class Panel:
    """The kernel's half of `static/NAME.js`.

    `state` is a text that the page changes, too; `edit` is told, once.
    `act` is told what was asked for in the page, as a dict with its `kind`. `data` is for the page
    to read. An error of either is a line in the page: nobody sees the traceback of a callback.
    """

    def __init__(
        self,
        name: str,
        *,
        state: str,
        data: Mapping[str, object],
        edit: Callable[[str], None],
        act: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._data, self._answered = dict(data), 0
        self._told, self._edit, self._act = state, edit, act
        self.widget = _widget_class(name)(state=state, data=json.dumps(self._data))
        self.widget.observe(self._edited, "state")
        self.widget.on_msg(self._asked)

    def show(self, **values: object) -> None:
        """Replace these entries of the data."""
        self._data |= values
        self.widget.data = json.dumps(self._data)

    def set_state(self, text: str) -> None:
        """Replace the state; the page draws it anew."""
        self.widget.state = text

    def _edited(self, change: Mapping[str, Any]) -> None:
        self._tell(change["new"])

    def _tell(self, state: str) -> None:
        if state != self._told:
            self._told = state
            self._do(lambda: self._edit(state))

    def _asked(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        if "state" in content:  # ahead of the trait, which pages hold back while the kernel works
            self._tell(content["state"])
            return
        self._answered = max(self._answered, content["asked"])  # each view counts for itself
        self._do(lambda: self._act(content), answered=self._answered)

    def _do(self, do: Callable[[], None], **shown: object) -> None:
        problem = ""
        try:
            do()
        except SteerError as error:
            problem = str(error)
        except KeyboardInterrupt:
            problem = "stopped"  # from the page, ahead of a run or after it
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            raise  # a defect, whose traceback belongs in the log
        finally:
            self.show(problem=problem, **shown)


def bundle(html: str, text: str, widget: Callable[[], Any]) -> Bundle:
    """Return what a cell shows: the widget where there is a page for it, else HTML and text."""
    if not is_page():
        return {"text/html": html, "text/plain": text}, {}
    # A page that is exported, or opened without its kernel, shows this in the place of the tool.
    html = f'{html}<div style="opacity:.7">as it was when the cell ran</div>'
    return widget_bundle(widget(), {"text/html": html, "text/plain": text})


def widget_bundle(widget: Any, static: Mapping[str, object]) -> Bundle:  # noqa: ANN401 - as below
    """Return what a page shows of `widget`, with the `static` forms for those that show none."""
    # The metadata tells Colab where widgets that are not its own come from.
    shown, metadata = widget._repr_mimebundle_()  # IPython's protocol
    return {**shown, **static}, metadata


def is_page() -> bool:
    """Tell whether a notebook page looks at this kernel."""
    shell = _shell()
    return shell is not None and is_watched(shell)


def namespace() -> Mapping[str, object]:
    """Return the names that the user has defined, if this is a notebook."""
    shell = _shell()
    return {} if shell is None else shell.user_ns


def _shell() -> Any:  # noqa: ANN401 - IPython has no types
    from IPython.core.getipython import get_ipython

    return get_ipython()


@cache
def _widget_class(name: str) -> Any:  # noqa: ANN401 - anywidget has no types
    import anywidget
    import traitlets

    def source(suffix: str) -> str:
        # One file a widget: a module in a page has no place to import another one from.
        parts = (_STATIC / f"{part}.{suffix}" for part in ("controls", name))
        return "\n".join(part.read_text("utf-8") for part in parts)

    attributes = {
        "_esm": source("js"),
        "_css": source("css"),
        "state": traitlets.Unicode().tag(sync=True),
        "data": traitlets.Unicode().tag(sync=True),
    }
    return type(f"{name.capitalize()}Widget", (anywidget.AnyWidget,), attributes)
