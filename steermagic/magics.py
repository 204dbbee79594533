"""`%%steer` and `%steer`, as IPython sees them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.display import display
from traitlets import Bool, Float, Int, Unicode
from traitlets.config import Config

from steer_engine import doubts
from steermagic.cell import read_cell
from steermagic.commands import help_text, run_command
from steermagic.display import SteerView, Text, cell_view
from steermagic.errors import SteerCancelled, without_traceback
from steermagic.explaining import ExplanationTable
from steermagic.job import Job, make_job
from steermagic.options import SETTINGS, SteerOptions
from steermagic.outcomes import check_outcome, failures
from steermagic.progress import ProgressLine, is_watched
from steermagic.review import doubts_line
from steermagic.runs import Run
from steermagic.session import Session
from steermagic.settings import read_settings
from steermagic.store import CellText
from steermagic.widgets.steering import run_live


@magics_class
class SteerMagic(Magics):
    """The magics, and their settings: `%config SteerMagic` lists them."""

    shell: InteractiveShell  # pyright: ignore[reportIncompatibleVariableOverride] # never None

    model = Unicode(None, allow_none=True, help=SETTINGS["model"].help).tag(config=True)
    temperature = Float(None, allow_none=True, help=SETTINGS["temperature"].help).tag(config=True)
    top_p = Float(None, allow_none=True, help=SETTINGS["top_p"].help).tag(config=True)
    min_p = Float(None, allow_none=True, help=SETTINGS["min_p"].help).tag(config=True)
    seed = Int(None, allow_none=True, help=SETTINGS["seed"].help).tag(config=True)
    max_tokens = Int(None, allow_none=True, help=SETTINGS["max_tokens"].help).tag(config=True)
    min_confidence = Float(None, allow_none=True, help=SETTINGS["min_confidence"].help).tag(
        config=True
    )
    store = Unicode(None, allow_none=True, help=SETTINGS["store"].help).tag(config=True)
    isolate = Bool(None, allow_none=True, help=SETTINGS["isolate"].help).tag(config=True)
    view = Unicode(None, allow_none=True, help=SETTINGS["view"].help).tag(config=True)

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        super().__init__(shell)
        self.session = session
        session.settings = self._settings
        # Where %config looks. After %reload_ext the settings are those of the new magics.
        known: list[object] = shell.configurables  # type: ignore[assignment] # typed too narrowly
        known[:] = [*(each for each in known if not isinstance(each, SteerMagic)), self]

    def update_config(self, config: Config) -> None:
        """Take what `%config` says; a model that it names is the latest word on that."""
        super().update_config(config)
        if "model" in config["SteerMagic"]:
            self.session.model = None

    @no_var_expand
    @line_cell_magic
    def steer(self, line: str, cell: str | None = None) -> object:
        """Run a cell, or a command."""
        with without_traceback(), _stopped_in_one_line():
            if cell is not None:
                return self._run_cell(CellText(line, cell, self._settings()))
            answer = run_command(self.session, line, self.shell.user_ns)
            if isinstance(answer, CellText):
                return self._run_cell(answer)
            if not isinstance(answer, ExplanationTable | SteerView | Text):
                return answer
            _show(answer)
            return None

    steer.__doc__ = help_text()

    def _run_cell(self, text: CellText) -> object:
        cell = read_cell(text.line, text.body, text.settings)
        if text.is_resumed:
            model, store = (str(text.settings[name]) for name in ("model", "store"))
            options = replace(cell.options, fresh=False, model=model, store=store)
            cell = replace(cell, options=options)
        job = make_job(cell, self.shell.user_ns)
        if job.options.dry_run:
            prompt, n_tokens = self.session.preview(job)
            counted = "" if n_tokens is None else f"{n_tokens} tokens; "
            _show(Text(f"{prompt}\n\n({counted}nothing was run)"))
            return None
        for doubt in doubts(job.found.schema):
            _show(Text(f"note: {doubt}"))
        run = self._run(job, text)
        out = job.options.out
        has_result = bool(run.records) or not (job.prompts or run.error)
        result = self.session.result(run) if has_result else None
        if out is not None and has_result:
            self.shell.user_ns[out] = result
        for note in run.notes:
            _show(Text(f"note: {note}"))
        check_outcome(run, kept_in=f"in {out!r}" if out else "df = %steer last", is_cell=True)
        return self._present(run, result, job.options)

    def _run(self, job: Job, text: CellText) -> Run:
        if self._is_live(job.options) and job.n_rows != 0:
            return run_live(self.session, job, text)
        if job.n_rows in (0, 1) or job.options.quiet or not is_watched(self.shell):
            return self.session.run(job, cell=text)
        line = ProgressLine(job.n_rows)
        try:
            return self.session.run(job, cell=text, progress=line)
        finally:
            line.clear()

    def _is_live(self, options: SteerOptions) -> bool:
        """Tell whether a live view stands above the value, which is frozen when the run ends."""
        is_wanted = options.view in ("auto", "live") and not (options.quiet or options.unsteered)
        return is_wanted and is_watched(self.shell)

    def _present(self, run: Run, result: object, options: SteerOptions) -> object:
        if run.errors:
            _show(Text(failures(run)))
        if options.quiet:
            return None
        if options.view != "off" and not options.unsteered and not self._is_live(options):
            self._show_after_value(cell_view(run))
        in_frame = f"{options.out}.steer.doubtful" if options.as_ == "pandas" else None
        shown_by = in_frame if options.out and in_frame else "%steer doubtful"
        if line := doubts_line(run, shown_by=shown_by):
            self._show_after_value(Text(line))
        return result

    def _show_after_value(self, view: SteerView | Text) -> None:
        """Show `view` once the cell's value stands: what a magic displays itself stands above."""
        events = self.shell.events

        def show_once() -> None:
            events.unregister("post_execute", show_once)
            _show(view)

        events.register("post_execute", show_once)

    def _settings(self) -> dict[str, object]:
        values = {name: getattr(self, name) for name in SETTINGS}
        configured = {name: value for name, value in values.items() if value is not None}
        if self.session.model is not None:
            configured["model"] = self.session.model  # `%steer use` came after `%config`
        return read_settings(configured, os.environ)


@contextmanager
def _stopped_in_one_line() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stop:
        raise SteerCancelled(str(stop) or "stopped; run the cell again") from None


def _show(thing: object) -> None:
    display(thing)  # type: ignore[no-untyped-call] # IPython is not typed
