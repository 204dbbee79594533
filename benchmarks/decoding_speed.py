"""Tokens per second at which a model decodes on this machine.

    python benchmarks/decoding_speed.py [--model GGUF] [--rounds N] [--threads N]

The same text is asked twice within every round, in turns, so that a machine whose speed drifts is
fair to both: `steered` under its schema, one row, forced tokens included, as a cell shows them;
and `unsteered`, where every token is a forward pass of its own. The clock starts when the first
token has been sampled, so that reading the prompt is not in it. Figures are medians over rounds.
Where other programs keep the cores busy, two threads wait for each other and one may be faster:
look at `load` before you believe a figure.

The last line of output is one JSON object; `tokens_per_s` is the figure of `steered`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

from steer_engine import Engine, Request, SteerError, Steps, compose, open_engine, read_schema

SCHEMA = read_schema(
    """
    orders: list[{
        customer: str
        product: str
        price: float
        ordered_on: date
        paid: bool
    }]
    """
)
PROMPT = """Extract the orders:
Mara Ito ordered the Fjell rain jacket on 3 May 2024 for $129.00 and has paid.
Dana Kessler ordered a Peak bottle on 5 May 2024 for $18.50, not paid yet.
Bo Lindahl ordered the Dune cap on 6 May 2024 for $24.00 and has paid."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a GGUF file; the embedded model if not given")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if options.rounds < 1 or options.threads < 1:
        parser.error("--rounds and --threads must be 1 or more")
    try:
        with open_engine(options.model, n_threads=options.threads) as engine:
            rates = measure(engine, rounds=options.rounds)
            name = engine.info.name
    except SteerError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    report(rates, model=name, n_threads=options.threads)


def measure(engine: Engine, *, rounds: int) -> dict[str, list[float]]:
    """Return tokens per second of each way and round; the round before the first warms up."""
    messages = compose(PROMPT, SCHEMA)
    ways = {
        "steered": Request(0, messages, SCHEMA, max_tokens=400),
        "unsteered": Request(0, messages, None, max_tokens=400),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for i in range(rounds + 1):
        for name, request in ways.items():
            rate = decoding_rate(engine, request)
            if i > 0:
                rates[name].append(rate)
    return rates


def decoding_rate(engine: Engine, request: Request) -> float:
    """Run one request; return its tokens per second behind the first one that was sampled."""
    start: float | None = None
    end, n_tokens = 0.0, 0
    for event in engine.run([request]):
        if not isinstance(event, Steps):
            continue
        end = time.perf_counter()
        if start is not None:
            n_tokens += len(event.steps)
        elif any(step.origin != "forced" for step in event.steps):
            start = end
    assert start is not None, "the answer has no token of the model's own"
    assert n_tokens, "the answer is a single token; there is nothing to time"
    return n_tokens / (end - start)


def report(rates: dict[str, list[float]], *, model: str, n_threads: int) -> None:
    """Print the machine and the medians, the last line as JSON."""
    medians = {name: statistics.median(values) for name, values in rates.items()}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None  # Windows has none
    print(f"{model} on {processor()}, {n_threads} threads, load {load}")
    print(f"{'way':<12}{'tokens/s':>10}{'min':>9}{'max':>9}")
    for name, values in rates.items():
        print(f"{name:<12}{medians[name]:>10.0f}{min(values):>9.0f}{max(values):>9.0f}")
    figures = {
        "model": model,
        "processor": processor(),
        "threads": n_threads,
        "load": load,
        "rounds": len(rates["steered"]),
        "tokens_per_s": round(medians["steered"], 1),
        "tokens_per_s_unsteered": round(medians["unsteered"], 1),
    }
    print(json.dumps(figures))


def processor() -> str:
    """Return what the machine calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores seen" if names else platform.machine()


if __name__ == "__main__":
    main()
