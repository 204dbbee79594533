"""What it costs that the model runs in a process of its own.

    python benchmarks/isolation.py [--rows N] [--rounds N] [--model GGUF]

The same rows by turns: in a process beside this one, and in this one. `wall` is the median over the
rounds of wall time beside over wall time here; `own` is the processor time that this process spends
on rows that another computes, as a share of what they take here. The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from statistics import median
from typing import NamedTuple

from steer_engine import (
    AnyEngine,
    Request,
    RowDone,
    compose,
    open_engine,
    open_isolated,
    read_schema,
)

_SCHEMA = read_schema("author: str, link: url | None, date: date | None, amount: float | None")
_TEXT = (
    "On 3 May 2024 I paid {0}.50 dollars for the lamp, write to a{0}@example.org or see"
    " https://shop.example.org/{0} - Maria"
)


class Spent(NamedTuple):
    """Seconds of wall time, and of this process's time."""

    wall_s: float
    own_s: float


def main() -> None:
    """Measure and print, the last line as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", help="the embedded one by default")
    options = parser.parse_args()
    rounds = list[tuple[Spent, Spent]]()
    with (
        open_isolated(options.model, n_threads=1) as beside,
        open_engine(options.model, n_threads=1) as here,
    ):
        for engine in (beside, here):
            answer(engine, 2)  # what is compiled once
        for _ in range(options.rounds):
            rounds.append((answer(beside, options.rows), answer(here, options.rows)))
            print("{.wall_s:8.2f} s beside, {.wall_s:8.2f} s here".format(*rounds[-1]))
    figures = {
        "wall": median(beside.wall_s / here.wall_s for beside, here in rounds),
        "own": median(beside.own_s / here.own_s for beside, here in rounds),
        "ms_a_row": 1000 * median(here.wall_s for _, here in rounds) / options.rows,
    }
    print(json.dumps({name: round(figure, 4) for name, figure in figures.items()}))


def answer(engine: AnyEngine, n_rows: int) -> Spent:
    """Answer `n_rows` rows; return what it took."""
    texts = map(_TEXT.format, range(n_rows))
    requests = [Request(row, compose(text, _SCHEMA), _SCHEMA) for row, text in enumerate(texts)]
    wall_s, own_s = time.perf_counter(), time.process_time()
    n_done = sum(isinstance(event, RowDone) for event in engine.run(requests))
    spent = Spent(time.perf_counter() - wall_s, time.process_time() - own_s)
    assert n_done == n_rows
    return spent


if __name__ == "__main__":
    main()
