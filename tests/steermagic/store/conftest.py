"""Sessions over stores in files, and what their models are asked."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from steer_engine import Engine
from steer_engine.backends.fake import FakeBackend
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.runs import Run
from steermagic.schemas import read_source
from steermagic.session import Session


class AskedEngine(Engine):
    """Notes the rows that it is asked for."""

    def __init__(self, wish: str, asked: list[int]) -> None:
        super().__init__(FakeBackend(wish))
        self._asked = asked

    def run(self, requests):
        return super().run(self._noted(requests))

    def _noted(self, requests):
        for request in requests:
            self._asked.append(request.row)
            yield request


class Kernel:
    """A session of its own on the store at `path`, as after a start of the kernel."""

    def __init__(self, path: Path | str) -> None:
        self.asked = list[int]()
        self.session = Session(lambda spec: AskedEngine(wishes.get(spec, ""), self.asked))
        self._path = str(path)
        wishes = {"nine": '{"n": 9}', "broken": '{"n": 9}'}

    def job(
        self, texts=("a", "b", "c"), *, schema="n: int 0..9", prompt="{{ text }}", **options
    ) -> Job:
        """A job that asks for each of `texts`."""
        table = pd.DataFrame({"text": [*texts]})
        given = SteerOptions(over="texts", **{"store": self._path, **options})
        return job_over(table, prompt, read_source(schema), given, namespace={})

    def run(self, texts=("a", "b", "c"), *, stop_after: int | None = None, **options) -> Run:
        """Run a job; the user may interrupt it after some rows."""
        return self.follow(self.job(texts, **options), stop_after=stop_after)

    def follow(self, job: Job, *, stop_after: int | None = None, cell=None) -> Run:
        def stop(n_finished: int, _n_failed: int) -> None:
            if n_finished == stop_after:
                raise KeyboardInterrupt

        self.asked.clear()
        return self.session.run(job, cell=cell, progress=stop)

    def values(self, run: Run) -> list[int]:
        return self.session.result(run)["n"].tolist()

    @property
    def states(self) -> list[str]:
        """Of all runs, the oldest first."""
        return [run.state for run in self.session.store(self._path).runs()][::-1]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "data" / "runs.sqlite"


@pytest.fixture
def kernel(path):
    """Start a kernel; all of a test have one store."""
    return lambda: Kernel(path)
