"""The embedded model in each backend that is installed: speed, model calls, memory, agreement.

    python benchmarks/backends.py [--cases N] [--rounds N] [--threads N]

Each backend reads the first `--cases` texts of `extraction_cases.jsonl` greedily, in a process of
its own, and all take turns. Of the rounds the median counts. Columns:

- `rows/s`       finished rows per second of wall time, prompts included
- `calls/row`    calls of `Backend.forward`, each of which serves many rows
- `MB`           peak of the process's memory, less what it took before the model was loaded
- `same`         rows whose answer is llama.cpp's, letter by letter
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
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extraction_cases import BY_HAND, read_cases
from steer_engine import Engine, Event, Request, SteerError, Steps, StepsUndone, compose
from steer_engine.backends import Run
from steer_engine.backends.opening import open_backend
from steer_engine.models import embedded_path

BACKENDS = ("llamacpp", "mlx", "transformers")


def main() -> None:
    """Measure and print, the last line as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="MLX does not obey")
    parser.add_argument("--alone", choices=BACKENDS, help="measure one, and print it as JSON")
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(measure(options.alone, options.cases, options.threads)))
        return
    rounds: dict[str, list[dict[str, Any]]] = {}
    for _ in range(options.rounds):
        for backend in BACKENDS:
            measured = in_own_process(backend, options)
            if measured is not None:
                rounds.setdefault(backend, []).append(measured)
    figures = {name: summary(found, rounds["llamacpp"][0]) for name, found in rounds.items()}
    report(figures, n_cases=options.cases)


def in_own_process(backend: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """Measure a backend; None where it is not installed."""
    command = [sys.executable, __file__, "--alone", backend]
    command += ["--cases", str(options.cases), "--threads", str(options.threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        print(f"{backend}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(name: str, n_cases: int, n_threads: int) -> dict[str, Any]:
    """Read the cases with one backend."""
    requests = [
        Request(row, compose(case.prompt, case.schema), case.schema)
        for row, case in enumerate(read_cases(BY_HAND)[:n_cases])
    ]
    before = peak_bytes()
    try:
        backend = open_backend(embedded_path(), name, embedded=True, n_threads=n_threads)
    except SteerError as error:
        sys.exit(str(error))
    forward, n_calls = backend.forward, 0

    def counted(runs: Sequence[Run]) -> list[NDArray[np.float32]]:
        nonlocal n_calls
        n_calls += 1
        return forward(runs)

    with Engine(backend) as engine:
        list(engine.run(requests[:2]))  # first calls compile and allocate
        backend.forward = counted
        start = time.perf_counter()
        rows = answers(engine.run(requests), n_rows=len(requests))
        seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "n_calls": n_calls,
        "memory_bytes": peak_bytes() - before,
        "rows": rows,
    }


def answers(events: Iterable[Event], *, n_rows: int) -> list[list[list[Any]]]:
    """Return the steps of each row, as pairs of spelling and log-probability."""
    rows: list[list[list[Any]]] = [[] for _ in range(n_rows)]
    for event in events:
        if isinstance(event, Steps):
            rows[event.row] += [
                [step.spelling.decode("latin-1"), step.logprob] for step in event.steps
            ]
        elif isinstance(event, StepsUndone):
            del rows[event.row][-event.n_steps :]
    return rows


def peak_bytes() -> int:
    """Return the most memory that this process has had."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def summary(rounds: Sequence[dict[str, Any]], truth: dict[str, Any]) -> dict[str, float | None]:
    """Return the figures of one backend; `truth` is a round of llama.cpp."""
    first = rounds[0]
    n_rows = len(first["rows"])
    compared = [
        compare(ours, theirs) for ours, theirs in zip(first["rows"], truth["rows"], strict=True)
    ]
    parted = [each[1] for each in compared if each[1] is not None]
    return {
        "rows_per_s": n_rows / statistics.median(each["seconds"] for each in rounds),
        "calls_per_row": first["n_calls"] / n_rows,
        "memory_mb": statistics.median(each["memory_bytes"] for each in rounds) / 1e6,
        "same": (n_rows - len(parted)) / n_rows,
        "drift": max(each[0] for each in compared),
        "parted_at": max(parted, default=None),
    }


def compare(ours: list[list[Any]], truth: list[list[Any]]) -> tuple[float, float | None]:
    """Return how far log-probabilities differ, and how sure `truth` was where the answers part."""
    drift = 0.0
    for (spelling, logprob), (true_spelling, true_logprob) in zip_longest(
        ours, truth, fillvalue=(None, None)
    ):
        if spelling != true_spelling:
            return drift, math.exp(true_logprob or 0.0)
        if logprob is not None and true_logprob is not None:
            drift = max(drift, abs(logprob - true_logprob))
    return drift, None


def report(figures: dict[str, dict[str, float | None]], *, n_cases: int) -> None:
    """Print a table, and the line of figures."""
    names = ("rows/s", "calls/row", "MB", "same", "drift", "parted at")
    print(f"{'backend':<14}" + "".join(f"{name:>11}" for name in names))
    for backend, found in figures.items():
        cells = ("-" if value is None else f"{value:.3g}" for value in found.values())
        print(f"{backend:<14}" + "".join(f"{cell:>11}" for cell in cells))
    print(json.dumps({"n_cases": n_cases, "backends": figures}))


if __name__ == "__main__":
    main()
