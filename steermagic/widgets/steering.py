"""The steering view while a run goes on; when it ends, it is frozen to static HTML."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from IPython.display import DisplayHandle

from steermagic.display import SteerView, Text, cell_view
from steermagic.job import Job
from steermagic.runs import Run
from steermagic.session import Session
from steermagic.store import CellText
from steermagic.widgets.batches import LiveView, head_of
from steermagic.widgets.panel import widget_bundle

_WAITING = "steermagic: the answer is being written"
_STATIC = Path(__file__).parent / "static"


def run_live(session: Session, job: Job, cell: CellText) -> Run:
    """Run `job` below a live view, which is then frozen to the static one.

    Raises:
        SteerError: the run could not go on.
    """
    model = session.engine(job.options.model).info.name  # loaded ahead of the view
    widget = _widget_class()(head=head_of(job, model))
    handle = DisplayHandle()  # type: ignore[no-untyped-call] # IPython has no types
    shown, metadata = widget_bundle(widget, {"text/plain": _WAITING})
    handle.display(shown, raw=True, metadata=metadata)  # type: ignore[no-untyped-call] # as above
    view = LiveView(job, widget.send)
    frozen: SteerView | Text = Text("")
    try:
        run = session.run(job, cell=cell, progress=view.progress, watcher=view)
        frozen = cell_view(run)
        return run
    finally:
        handle.update(frozen)  # type: ignore[no-untyped-call] # as above
        widget.close()


@cache
def _widget_class() -> Any:  # noqa: ANN401 - anywidget is not typed
    import anywidget
    import traitlets

    class SteeringWidget(anywidget.AnyWidget):  # type: ignore[misc] # not typed
        """The page's half is `static/steering.js`."""

        _esm = (_STATIC / "steering.js").read_text("utf-8")
        _css = (_STATIC / "steering.css").read_text("utf-8")
        head = traitlets.Dict().tag(sync=True)

    return SteeringWidget
