"""The state of a kernel: loaded models, the model in use, the runs that can be looked at."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from steer_engine import EMBEDDED, Engine, ModelInfo, Request, TruncatedError, open_engine
from steermagic.accessor import attach, register_accessor
from steermagic.errors import CommandError, SteerCancelled
from steermagic.job import Job
from steermagic.results import make_result
from steermagic.runs import Progress, Row, Run, follow
from steermagic.unsteered import judge

_MAX_STEPS = 300_000  # of all runs that are kept; a step takes some 650 bytes


class Session:
    """Keeps each model loaded for as long as the kernel lives, and the last runs."""

    def __init__(self, open_engine: Callable[[str], Engine]) -> None:
        self._open = open_engine
        self._engines: dict[str, Engine] = {}
        self._runs: dict[str, Run] = {}
        self._answers: dict[tuple[ModelInfo, Request], Row] = {}
        self._accessor_is_registered = False
        self.aliases: dict[str, str] = {}
        self.model: str | None = None
        """What `%steer use` chose; None leaves it to the settings."""

    def engine(self, model: str | None) -> Engine:
        """Return the engine of `model`, which is loaded at most once.

        Raises:
            ModelError: the model cannot be found, read or loaded.
        """
        name = model or self.model or EMBEDDED
        spec = self.aliases.get(name, name)
        if spec not in self._engines:
            self._engines[spec] = self._open(spec)
        return self._engines[spec]

    def use(self, model: str, *, alias: str | None = None) -> ModelInfo:
        """Load `model` and make it the one that cells use when they name none."""
        info = self.engine(model).info
        if alias is not None:
            self.aliases[alias] = self.aliases.get(model, model)
        self.model = alias or model
        return info

    def loaded(self) -> dict[str, ModelInfo]:
        """Return what is loaded, by the name it was asked for."""
        return {spec: engine.info for spec, engine in self._engines.items()}

    def unload(self) -> int:
        """Free all models; return how many there were. The next cell loads its own again."""
        n_engines = len(self._engines)
        while self._engines:
            _, engine = self._engines.popitem()
            engine.close()
        return n_engines

    def preview(self, job: Job) -> tuple[str, int]:
        """Return the text that the model would read, and its length in tokens."""
        engine = self.engine(job.options.model)
        requests = job.requests()
        if not requests:
            return "the table has no rows", 0
        request = requests[0]
        engine.check(job.found.asked)
        return engine.render(request), engine.count_tokens(request)

    def run(self, job: Job, *, progress: Progress | None = None) -> Run:
        """Run `job`, and remember the run however it ends; see `result` for its value."""
        engine = self.engine(job.options.model)
        if job.options.cache:
            run = self._run_cached(engine, job, progress)
        else:
            run = follow(engine.run(job.requests()), job, engine.info.name, progress=progress)
        self._runs[run.id] = run
        while len(self._runs) > 1 and sum(len(r.steps) for r in self._runs.values()) > _MAX_STEPS:
            del self._runs[next(iter(self._runs))]
        return run

    def answer(self, job: Job) -> object:
        """Run `job` and return its value.

        Raises:
            KeyboardInterrupt: the user stopped it; `last_run` has what was finished.
            SteerError: it failed.
        """
        run = self.run(job)
        if run.is_cancelled:
            raise KeyboardInterrupt  # a script that goes on after a SteerError has to stop here
        check_outcome(run, kept_in="")
        return self.result(run)

    def result(self, run: Run) -> object:
        """Return the value of `run`: its rows that are kept, in the form that was asked for."""
        if run.job.options.unsteered:
            return judge(run.rows[0].text, run.job.found.schema)
        job = run.job
        records = run.records if job.over is None else run.by_prompt
        result = make_result(records, job.found, job.options, over=job.over)
        if job.options.as_ == "pandas":
            self._attach(run, result)
        return result

    def find_run(self, run_id: str) -> Run | None:
        """Return the run with that id, if it is among the last ones."""
        return self._runs.get(run_id)

    def last_run(self) -> Run:
        """Return the newest run.

        Raises:
            CommandError: nothing has run yet.
        """
        if not self._runs:
            raise CommandError("nothing has run yet; start with a cell %%steer")
        return next(reversed(self._runs.values()))

    def _run_cached(self, engine: Engine, job: Job, progress: Progress | None) -> Run:
        """Run what this kernel has not answered yet, equal requests once."""
        requests = job.requests()
        asked = {request.row: (engine.info, _as_asked(request)) for request in requests}
        new = dict[tuple[ModelInfo, Request], Request]()
        for request in requests:
            if asked[request.row] not in self._answers:
                new.setdefault(asked[request.row], request)
        run = follow(engine.run([*new.values()]), job, engine.info.name, progress=progress)
        answered = {asked[row.number]: row for row in run.rows}
        self._answers |= {
            key: row for key, row in answered.items() if row.is_kept and row.is_finished
        }
        found = ChainMap(answered, self._answers)
        rows = (replace(found[key], number=n) for n, key in asked.items() if key in found)
        return replace(run, rows=tuple(rows))

    def _attach(self, run: Run, frame: object) -> None:
        if not self._accessor_is_registered:
            register_accessor(self.find_run)
            self._accessor_is_registered = True
        attach(run, frame)


def _as_asked(request: Request) -> Request:
    """Return `request` without its number, where that has no part in the answer."""
    return request if request.sampling.temperature > 0 else replace(request, row=0)


@cache
def shared_session() -> Session:
    """Return the session of this process: magics and `steer` share the models they load."""
    return Session(open_engine)


def check_outcome(run: Run, *, kept_in: str) -> None:
    """Raise what stands in the way of calling `run` a success.

    Raises:
        SteerCancelled: the user stopped it; the message says what is kept, and where.
        SteerError: every row failed; the first row's error, with what it had written.
    """
    if run.is_cancelled:
        if run.n_kept == 0:
            raise SteerCancelled("stopped before a row was finished; nothing is kept")
        rows = "row is" if run.n_kept == 1 else "rows are"
        raise SteerCancelled(f"stopped; {run.n_kept} finished {rows} kept: {kept_in}")
    if run.errors and not run.records:
        number, error = next(iter(run.errors.items()))
        text = next(row.text for row in run.rows if row.number == number)
        if text:
            error.add_note(f"It had written: {_shortened(text)} (%steer last shows all)")
        raise error


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:38]} … {line[-38:]}"


def failures(run: Run) -> str:
    """Return a line on the rows of `run` that failed, and one on those that were cut short."""
    cut = [error for error in run.errors.values() if isinstance(error, TruncatedError)]
    failed = [error for error in run.errors.values() if not isinstance(error, TruncatedError)]
    n_rows = len(run.job.prompts)
    lines = []
    if failed:
        share = f"{len(failed)} of {n_rows} rows failed"
        lines.append(f"{share} and have no values, the first with: {failed[0]}")
    if cut:
        lines.append(
            f"{len(cut)} of {n_rows} answers {'was' if len(cut) == 1 else 'were'} cut"
            f" short: {cut[0]}"
            if n_rows > 1
            else str(cut[0])
        )
    return "\n".join(lines)
