"""What a row of `--over` costs beside the model's work, in time and memory, as tables grow.

    python benchmarks/table_size.py [--rows 1000,10000,100000] [--source frame|iterator]

Each size has a process of its own. The model is the fake backend, which has no weights and answers
each row with one word of two: what is measured is all that happens around a model.

- `start`   from the call to the first request: table looked at, first prompt filled in
- `fill`    filling in the prompt of a row and making its request
- `run`     the whole run: prompts, the engine's loop with masks, the rows' way into the run store
            (a file in a temporary folder), and the joined frame at the end
- `join`    a record of five columns (text, category, whole number, number, date) joined to its row,
            and the same to a polars and an Arrow table
- `memory`  the most that the process held during the run, less the most it held before it, with the
            table read and a short run behind it

All but `start` and `memory` are per row, and should not grow with the table. Times are processor
time, since machines are shared.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from steer_engine import Engine, JsonValue, read_schema
from steer_engine.backends.fake import FakeBackend
from steermagic.forms import read_answer
from steermagic.job import Job, job_over
from steermagic.joining import join
from steermagic.options import TABLES, SteerOptions
from steermagic.session import Session
from steermagic.tables import read_table

FIVE = read_schema(
    'name: str, level: "low" | "mid" | "high", count: int | None, share: float, day: date | None'
)
FOUND = read_answer(None, regex=None, choices=["praise", "complaint"], grammar=None, many=False)
PROMPT = "What is this post of {{ author }}? {{ text }}"


def main() -> None:
    """Measure and print, the last line as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="1000,10000,100000")
    parser.add_argument("--source", choices=("frame", "iterator"), default="frame")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(measure(options.measure, source=options.source)))
        return
    found = []
    for n_rows in options.rows.split(","):
        command = [sys.executable, __file__, "--measure", n_rows, "--source", options.source]
        child = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
        found.append(json.loads(child.stdout.splitlines()[-1]))
        report(found[-1], is_first=len(found) == 1)
    growth = {
        name: round(found[-1][name] / found[0][name], 2)
        for name in ("fill_us", "run_ms", "join_us")
    }
    print(json.dumps({"source": options.source, "sizes": found, "last_to_first": growth}))


def measure(n_rows: int, *, source: str) -> dict[str, float]:
    """Return the figures of one size; times per row are in the unit of their name."""
    table = pd.DataFrame(
        {
            "author": [f"author {i % 997}" for i in range(n_rows)],
            "text": [f"Post {i}. " + "It works as I had hoped, and then some. " * 4
                     for i in range(n_rows)],
            "stars": range(n_rows),
        }
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        session = Session(lambda _: Engine(FakeBackend("praise")))
        options = SteerOptions(over="table", choices="", store=str(Path(folder, "runs.sqlite")))
        rows = (row._asdict() for row in table.itertuples(index=False))

        def job(data: object) -> Job:
            return job_over(data, PROMPT, FOUND, options, namespace={})

        session.run(job(table.head(50)))
        start_s = timed(lambda: next(job(table).requests()))
        fill_s = timed(lambda: sum(1 for _ in job(table).requests()))
        before = peak_mib()
        asked = job(rows if source == "iterator" else table)
        run_s = timed(lambda: session.result(session.run(asked)))
        memory = peak_mib() - before
    records = [record(i) for i in range(n_rows)]

    def join_some(n_some: int, as_: str) -> None:
        join(read_table(table.head(n_some)), records[:n_some], FIVE, as_=as_, rows=None)

    join_s = {}
    for as_ in TABLES:
        join_some(50, as_)  # what is imported only once
        join_s[as_] = timed(lambda as_=as_: join_some(n_rows, as_))
    return {
        "rows": n_rows,
        "start_s": round(start_s, 4),
        "fill_us": round(fill_s / n_rows * 1e6, 1),
        "run_ms": round(run_s / n_rows * 1e3, 3),
        **{
            f"join_{as_}_us".replace("_pandas", ""): round(seconds / n_rows * 1e6, 1)
            for as_, seconds in join_s.items()
        },
        "memory_mib": round(memory, 1),
        "memory_kib_a_row": round(memory * 1024 / n_rows, 2),
        "table_mib": round(float(table.memory_usage(deep=True).sum()) / 2**20, 1),
    }


def record(i: int) -> JsonValue:
    """Return a record of `FIVE`."""
    return {
        "name": f"name {i}",
        "level": ("low", "mid", "high")[i % 3],
        "count": i if i % 7 else None,
        "share": i / 7,
        "day": "2026-01-31" if i % 5 else None,
    }


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds of processor time `work` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def peak_mib() -> float:
    """Return the most memory that this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def report(figures: dict[str, float], *, is_first: bool) -> None:
    """Print one line of the table."""
    if is_first:
        print(" ".join(f"{name:>16}" for name in figures))
    print(" ".join(f"{value:>16,}" for value in figures.values()), flush=True)


if __name__ == "__main__":
    main()
