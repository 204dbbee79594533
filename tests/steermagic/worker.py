"""Runs cells in processes that a test may kill: ``python worker.py``, then one line of JSON each.

It imports everything once and forks for each run, so that twenty processes take seconds. For each
line it answers with the number of the process that runs it, and then with how that ended.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

import pandas as pd

from steer_engine import Engine
from steer_engine.backends.fake import FakeBackend
from steermagic.job import job_over
from steermagic.options import SteerOptions
from steermagic.schemas import read_source
from steermagic.session import Session


class SlowBackend(FakeBackend):
    """A model that answers each prompt otherwise, and takes its time."""

    def forward(self, runs):
        time.sleep(0.001)
        return super().forward(runs)


class NotingEngine(Engine):
    """Notes the row of each request that it is given."""

    def __init__(self, asked: Path) -> None:
        super().__init__(SlowBackend())
        self._asked = asked

    def run(self, requests):
        return super().run(self._noted(requests))

    def _noted(self, requests):
        for request in requests:
            append(self._asked, request.row)
            yield request


def append(file: Path, number: int) -> None:
    """Add a line that is there at once, whatever happens to this process."""
    with file.open("a") as out:
        out.write(f"{number}\n")


def run(folder: Path, *, n_rows: int, store: str, max_file_bytes: int | None = None) -> None:
    """Run the job, and write to `folder` what was asked and told, and at the end the outcome."""
    if max_file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))
    session = Session(lambda _spec: NotingEngine(folder / "asked"))
    texts = pd.DataFrame({"text": [f"Number {n}" for n in range(n_rows)]})
    options = SteerOptions(over="texts", store=store)
    job = job_over(texts, "{{ text }}", read_source("n: int 0..999"), options, namespace={})
    ended = session.run(job, progress=lambda n, _: append(folder / "told", n))
    frame = session.result(ended)
    outcome = {"n": frame["n"].tolist(), "notes": ended.notes, "errors": len(ended.errors)}
    (folder / "outcome.json").write_text(json.dumps(outcome))


def main() -> None:
    """Fork for each line of the input."""
    say("ready")
    for line in sys.stdin:
        task = json.loads(line)
        process = os.fork()
        if process == 0:
            run(Path(task.pop("folder")), **task)
            return
        say(process)
        say(os.waitpid(process, 0)[1])


def say(what: object) -> None:
    """Write a line for the test."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
