"""The embedded model in each backend that is installed: speed, model calls, memory, agreement.

    python benchmarks/backends.py [--cases N] [--rounds N] [--threads N] [--python NAME=PATH]

Each reads the first `--cases` texts of `extraction_cases.jsonl` greedily, in a process of its own,
and all take turns. Of the rounds the median counts. `isolated` is llama.cpp in a process beside the
engine's, `server` is llama.cpp's own server on this machine with 4 slots. A backend that is
installed elsewhere is measured by the Python that `--python` names for it. Columns:

- `rows/s`       finished rows per second of wall time, prompts included
- `calls/row`    calls of `Backend.forward`, each of which serves many rows; where they can be seen
- `MB`           what the process that has the model holds after the last row, libraries included
- `done`         share of the rows that were answered; a server's are checked here, and may fail
- `same`         share of the rows whose answer is llama.cpp's, letter by letter
- `drift`        the largest difference from llama.cpp's log-probability of a token, over all that
                 were sampled up to where two answers part
- `parted at`    the largest probability, over the rows that part, that llama.cpp gave to its own
                 token where they do; a half or less is a tie that rounding decides

The last line is one JSON object with these figures.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate, takewhile
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import psutil
from numpy.typing import NDArray

import steer_engine
from extraction_cases import BY_HAND, read_cases
from llama_server import llama_server
from steer_engine import (
    AnyEngine,
    Engine,
    Event,
    Request,
    RowDone,
    SteerError,
    Steps,
    StepsUndone,
    compose,
    open_engine,
)
from steer_engine.backends import Backend, Run
from steer_engine.backends.opening import open_backend
from steer_engine.isolation import IsolatedEngine
from steer_engine.models import embedded_path

IN_PROCESS = ("llamacpp", "mlx", "transformers")
SYSTEMS = (*IN_PROCESS, "isolated", "server")
N_SLOTS = 4  # of the server
MAX_TOKENS = 200  # some twice the longest answer; a row that runs on would outweigh all others

Answer: TypeAlias = list[tuple[str, float | None]]
"""The tokens of a row: spelling, one character a byte, and log-probability where it was sampled."""

Figures: TypeAlias = dict[str, float | None]


class Opened(NamedTuple):
    """An engine, the process that has its model, and how often that was called."""

    engine: AnyEngine
    process_id: int
    n_calls: Callable[[], int | None]


def main() -> None:
    """Measure and print, the last line as JSON."""
    options = parsed()
    if options.alone:
        try:
            print(json.dumps(measure(options.alone, options.cases, options.threads)))
        except SteerError as error:
            sys.exit(str(error))
        return
    pythons = dict(each.split("=", 1) for each in options.python)
    rounds: dict[str, list[dict[str, Any]]] = {}
    for _ in range(options.rounds):
        for system in SYSTEMS:
            measured = in_own_process(system, pythons.get(system, sys.executable), options)
            if measured is not None:
                rounds.setdefault(system, []).append(measured)
    report(summaries(rounds), n_cases=options.cases)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="MLX does not obey")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--alone", choices=SYSTEMS, help="measure one, and print it as JSON")
    return parser.parse_args()


def in_own_process(system: str, python: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """Measure one system; None where it is not installed."""
    command = [python, __file__, "--alone", system]
    command += ["--cases", str(options.cases), "--threads", str(options.threads)]
    environment = {**os.environ, "PYTHONPATH": str(Path(steer_engine.__file__).parent.parent)}
    done = subprocess.run(  # noqa: S603 - our own script
        command, capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        print(f"{system}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(system: str, n_cases: int, n_threads: int) -> dict[str, Any]:
    """Read the cases with one system."""
    requests = [
        Request(row, compose(case.prompt, case.schema), case.schema, max_tokens=MAX_TOKENS)
        for row, case in enumerate(read_cases(BY_HAND)[:n_cases])
    ]
    with opened(system, n_threads) as (engine, process_id, n_calls):
        list(engine.run(requests[:2]))  # first calls compile and allocate
        n_before, start = n_calls(), time.perf_counter()
        events = list(engine.run(requests))
        seconds, n_after = time.perf_counter() - start, n_calls()
        return {
            "seconds": seconds,
            "n_calls": None if n_after is None or n_before is None else n_after - n_before,
            "memory_bytes": psutil.Process(process_id).memory_info().rss,
            "n_done": sum(isinstance(event, RowDone) for event in events),
            "rows": answers(events, n_rows=len(requests)),
        }


@contextmanager
def opened(system: str, n_threads: int) -> Iterator[Opened]:
    """Open the embedded model in one of the systems."""
    if system == "server":
        with (
            llama_server(embedded_path(), n_threads=n_threads, n_slots=N_SLOTS) as (url, process),
            open_engine(url) as remote,
        ):
            yield Opened(remote, process, lambda: None)
    elif system == "isolated":
        with IsolatedEngine(n_threads=n_threads) as isolated:
            yield Opened(isolated, isolated.process_id or 0, lambda: None)
    else:
        backend = open_backend(embedded_path(), system, embedded=True, n_threads=n_threads)
        with Engine(backend) as engine:
            yield Opened(engine, os.getpid(), counted(backend))


def counted(backend: Backend) -> Callable[[], int]:
    """Count the calls of a backend from now on; return what tells how many there were."""
    forward, n_calls = backend.forward, 0

    def counting(runs: Sequence[Run]) -> list[NDArray[np.float32]]:
        nonlocal n_calls
        n_calls += 1
        return forward(runs)

    vars(backend)["forward"] = counting
    return lambda: n_calls


def answers(events: Iterable[Event], *, n_rows: int) -> list[Answer]:
    """Return the tokens of each row."""
    rows: list[Answer] = [[] for _ in range(n_rows)]
    for event in events:
        if isinstance(event, Steps):
            rows[event.row] += [
                (step.spelling.decode("latin-1"), step.logprob) for step in event.steps
            ]
        elif isinstance(event, StepsUndone):
            del rows[event.row][-event.n_steps :]
    return rows


def summaries(rounds: Mapping[str, list[dict[str, Any]]]) -> dict[str, Figures]:
    """Return the figures of each system; the first round of llama.cpp is what all agree with."""
    truth: list[Answer] = rounds["llamacpp"][0]["rows"]
    return {system: summary(found, truth) for system, found in rounds.items()}


def summary(rounds: Sequence[dict[str, Any]], truth: Sequence[Answer]) -> Figures:
    """Return the figures of one system."""
    first = rounds[0]
    n_rows = len(first["rows"])
    compared = [compare(ours, theirs) for ours, theirs in zip(first["rows"], truth, strict=True)]
    parted = [probability for _, probability in compared if probability is not None]
    return {
        "rows_per_s": n_rows / statistics.median(each["seconds"] for each in rounds),
        "calls_per_row": None if first["n_calls"] is None else first["n_calls"] / n_rows,
        "memory_mb": statistics.median(each["memory_bytes"] for each in rounds) / 1e6,
        "done": first["n_done"] / n_rows,
        "same": (n_rows - len(parted)) / n_rows,
        "drift": max(drift for drift, _ in compared),
        "parted_at": max(parted, default=None),
    }


def compare(ours: Answer, truth: Answer) -> tuple[float, float | None]:
    """Return how far log-probabilities differ, and how sure `truth` was where the answers part.

    Forced parts may be cut into other tokens; only tokens at the same place are compared.
    """
    texts = ["".join(spelling for spelling, _ in answer) for answer in (ours, truth)]
    n_same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    others = {(start, spelling): logprob for start, spelling, logprob in placed(ours)}
    drift, parted_at = 0.0, None
    for start, spelling, logprob in placed(truth):
        other = others.get((start, spelling))
        if start + len(spelling) <= n_same:
            if logprob is not None and other is not None:
                drift = max(drift, abs(other - logprob))
        elif parted_at is None:
            parted_at = math.exp(logprob or 0.0)
    return drift, None if texts[0] == texts[1] else parted_at or 0.0


def placed(answer: Answer) -> Iterator[tuple[int, str, float | None]]:
    """Yield tokens with the place where they begin."""
    starts = accumulate((len(spelling) for spelling, _ in answer), initial=0)
    for start, (spelling, logprob) in zip(starts, answer, strict=False):
        yield start, spelling, logprob


def report(figures: Mapping[str, Figures], *, n_cases: int) -> None:
    """Print a table, and the line of figures."""
    names = ("rows/s", "calls/row", "MB", "done", "same", "drift", "parted at")
    print(f"{'':<14}" + "".join(f"{name:>11}" for name in names))
    for system, found in figures.items():
        cells = ("-" if value is None else f"{value:.3g}" for value in found.values())
        print(f"{system:<14}" + "".join(f"{cell:>11}" for cell in cells))
    print(json.dumps({"n_cases": n_cases, "systems": figures}))


if __name__ == "__main__":
    main()
