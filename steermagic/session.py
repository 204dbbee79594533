"""The state of a kernel: loaded models, the model in use, the runs that can be looked at."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from uuid import uuid4

from steer_engine import EMBEDDED, AnyEngine, ModelError, ModelInfo, open_engine, open_isolated
from steermagic.accessor import register_accessor
from steermagic.downloads import brought_here
from steermagic.errors import CommandError, StoreError
from steermagic.job import Job
from steermagic.ongoing import follow
from steermagic.options import SteerOptions
from steermagic.origins import attach
from steermagic.outcomes import check_outcome
from steermagic.review import doubts_line
from steermagic.runs import LastRuns, Progress, Run, Watcher, result_of
from steermagic.settings import read_settings
from steermagic.store import (
    OFF,
    CellText,
    Reuse,
    RunRecord,
    Store,
    StoredRun,
    described,
    open_store,
    place_of,
    restored,
    with_steps,
)
from steermagic.unsteered import judge

_MAX_STEPS = 100_000  # of all runs that are kept; a step takes some 650 bytes
_MAX_ROWS = 500_000  # likewise; a row without its steps takes one or two kB
_NOT_LOADED = "stopped before the model was loaded; run the cell again"
_NO_MODELS = (
    "no model can be used in a browser's Python, not even one on a server: it has no threads, and"
    " llguidance has no build for it; choose a kernel on a machine"
)


@dataclass(frozen=True, slots=True)
class _Opened:
    """What one process has opened: models by place, stores by all their spellings."""

    engines: dict[str, AnyEngine] = field(default_factory=dict)
    stores: dict[str | None, Store] = field(default_factory=dict)


class Session:
    """Keeps each model loaded for as long as the kernel lives, and the last runs.

    A fork of the process opens its models and stores anew.
    """

    def __init__(
        self, open_engine: Callable[[str], AnyEngine], find_model: Callable[[str], str] = str
    ) -> None:
        """Open models where `find_model` finds them: several names may be those of one model."""
        self._open, self._find = open_engine, find_model
        self._places: dict[str, str] = {}
        self._runs = LastRuns()
        self._opened = dict[int, _Opened]()  # by the process's id
        self._accessor_is_registered = False
        self.aliases: dict[str, str] = {}
        self.model: str | None = None
        """What `%steer use` chose, until `%config` names another; None leaves it to settings."""
        self.settings: Callable[[], Mapping[str, object]] = _outside_a_notebook
        """What is set outside a cell, by name; magics know of more places."""

    def engine(self, model: str | None) -> AnyEngine:
        """Return the engine of `model`, which is loaded at most once.

        Raises:
            ModelError: the model cannot be found, read or loaded.
            KeyboardInterrupt: the user did not wait for it; the message says so.
        """
        spec = self.spec(model)
        try:
            place = self._places.get(spec) or self._find(spec)
            engines = self._own.engines
            if place not in engines:
                engines[place] = self._open(place)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_NOT_LOADED) from None
        self._places[spec] = place
        return engines[place]

    def spec(self, model: str | None) -> str:
        """Return what the model is opened by that a cell calls `model`."""
        name = model or self.in_use
        return self.aliases.get(name, name)

    @property
    def in_use(self) -> str:
        """The model, or its alias, that is meant where none is named."""
        return self.model or str(self.settings().get("model") or EMBEDDED)

    def use(self, model: str, *, alias: str | None = None) -> ModelInfo:
        """Load `model` and make it the one that cells use when they name none."""
        info = self.engine(model).info
        if alias is not None:
            self.aliases[alias] = self.aliases.get(model, model)
        self.model = alias or model
        return info

    def loaded(self) -> dict[str, ModelInfo]:
        """Return what is loaded, by the name it was first asked for."""
        names = {place: spec for spec, place in reversed(self._places.items())}
        return {names[place]: engine.info for place, engine in self._own.engines.items()}

    def unload(self) -> int:
        """Free all models; return how many there were. The next cell loads its own again."""
        engines = self._own.engines
        n_engines = len(engines)
        self._places.clear()
        while engines:
            _, engine = engines.popitem()
            engine.close()
        return n_engines

    @property
    def has_inherited(self) -> bool:
        """Tell whether a process that this one was forked from has loaded models."""
        opened = self._opened.items()
        return any(each.engines for process, each in opened if process != os.getpid())

    def preview(self, job: Job) -> tuple[str, int | None]:
        """Return the text that the model would read, and its length in tokens, if it is known.

        Raises:
            InterpolationError: no row's prompt can be filled in.
        """
        engine = self.engine(job.options.model)
        request = next(job.requests(), None)
        if request is None:
            if job.row_errors:
                raise next(iter(job.row_errors.values()))
            return "the table has no rows", 0
        engine.check(job.found.asked)
        return engine.render(request), engine.count_tokens(request)

    def run(
        self,
        job: Job,
        *,
        cell: CellText | None = None,
        progress: Progress | None = None,
        watcher: Watcher | None = None,
    ) -> Run:
        """Run `job`, and remember the run however it ends; see `result` for its value.

        With its `cell` the run can be resumed.
        """
        engine = self.engine(job.options.model)
        record = self._begin(engine.info, job, cell)
        run = follow(engine, job, record, progress=progress, watcher=watcher, max_steps=_MAX_STEPS)
        self._remember(run)
        return run

    def recall(self, stored: StoredRun) -> Run:
        """Make a run of the store the last one; what this session knows of it is more."""
        run, store = self._runs.find(stored.id), self.store()
        rows = store.rows(stored, max_steps=_MAX_STEPS)  # read where they are used
        if run is None:
            run = replace(restored(stored, rows), store=store.place)
        elif stored.options.get("trace") and not run.steps:
            run = with_steps(run, rows)
        self._remember(run)
        self.give_frames_access()  # to those that come from a file
        return run

    def store(self, place: str | None = None) -> Store:
        """Return the run store at `place`, else where the settings say; it is opened once.

        Raises:
            StoreError: it cannot be opened.
        """
        if place is None:
            configured = self.settings().get("store")
            place = None if configured is None else str(configured)
        stores = self._own.stores
        known = stores.get(place)
        if known is None or not known.is_there:
            where = place_of(place)  # the same for all spellings, such as "off" and "OFF"
            known = stores.get(where)
            if known is None or not known.is_there:
                known = stores[where] = open_store(where)
            stores[place] = known
        return known

    def answer(self, job: Job) -> object:
        """Run `job` and return its value.

        Raises:
            KeyboardInterrupt: the user stopped it; `last_run` has what was finished.
            SteerError: it failed.
        """
        run = self.run(job)
        for note in run.notes:
            warnings.warn(note, stacklevel=3)  # where `steer` was called
        if run.is_cancelled:
            raise KeyboardInterrupt  # a script that goes on after a SteerError has to stop here
        check_outcome(run, kept_in="the same call goes on there" if run.is_stored else "")
        if job.options.as_ != "pandas" and (line := doubts_line(run, shown_by="%steer doubtful")):
            warnings.warn(line, stacklevel=3)
        return self.result(run)

    def result(self, run: Run) -> object:
        """Return the value of `run`: its rows that are kept, in the form that was asked for."""
        if run.job.options.unsteered:
            return judge(run.rows[0].text, run.job.found.schema)
        result = result_of(run)
        if run.job.options.as_ == "pandas":
            self._attach(run, result)
        return result

    def give_frames_access(self) -> None:
        """Give pandas frames the attribute `steer`, for the runs of this session."""
        if not self._accessor_is_registered:
            register_accessor(self.find_run, self.store_of)
            self._accessor_is_registered = True

    def find_run(self, run_id: str) -> Run | None:
        """Return the run with that id, if it is among the last ones."""
        return self._runs.find(run_id)

    def last_run(self) -> Run:
        """Return the newest run.

        Raises:
            CommandError: nothing has run yet.
        """
        run = self._runs.newest()
        if run is None:
            raise CommandError("nothing has run yet; start with a cell %%steer")
        return run

    @property
    def _own(self) -> _Opened:
        # A fork must not even close what its parent uses: pipes, SQLite's locks.
        return self._opened.setdefault(os.getpid(), _Opened())

    def _begin(self, info: ModelInfo, job: Job, cell: CellText | None) -> RunRecord:
        """Enter a run into the store; where that cannot be used, into one in memory."""
        asked = described(info, job, cell, spec=self.spec(job.options.model))
        reuse, trace = _reuse(job.options), job.options.trace
        run_id = uuid4().hex
        try:
            return self.store(job.options.store).begin(run_id, asked, reuse=reuse, trace=trace)
        except StoreError as error:
            record = self.store(OFF).begin(run_id, asked, reuse=reuse, trace=trace)
            record.problem = error
            return record

    def store_of(self, run: Run) -> Store:
        """Return where `run` began: in a file, or in memory where that could not be used.

        Raises:
            StoreError: it cannot be opened any more.
        """
        return self.store(run.store)

    def _remember(self, run: Run) -> None:
        self._runs.add(run, max_steps=_MAX_STEPS, max_rows=_MAX_ROWS)

    def _attach(self, run: Run, frame: object) -> None:
        self.give_frames_access()
        attach(run, frame)


def _reuse(options: SteerOptions) -> Reuse:
    if options.cache:
        return "all"
    return "nothing" if options.fresh else "unfinished"


def _outside_a_notebook() -> Mapping[str, object]:
    return read_settings({}, os.environ)


@cache
def shared_session() -> Session:
    """Return the session of this process: magics and `steer` share the models they load."""

    def open_it(place: str) -> AnyEngine:
        is_isolated = session.settings().get("isolate", True)
        # A model's threads do not outlive a fork, nor can it start others in this process.
        is_isolated = is_isolated or session.has_inherited
        return (open_isolated if is_isolated else open_engine)(place)

    def find(model: str) -> str:
        if sys.platform == "emscripten":
            raise ModelError(_NO_MODELS)
        return brought_here(model, session.aliases)

    session = Session(open_it, find)
    return session
