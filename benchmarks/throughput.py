"""Tokens per second of the engine against llama-cpp-python, on one model, prompt and machine.

    python benchmarks/throughput.py [--model MODEL.gguf] [--rounds N] [--threads N]

Three systems take turns within every round, so that a machine whose speed drifts is fair to all:

- `engine`           steer_engine, schema enforced by masks, forced tokens not sampled
- `free`             llama-cpp-python's `create_completion`, no grammar at all
- `gbnf`             the same with its own grammar made from the schema

`free` may not stop before it has written as many tokens as the engine's answer has: a short
answer would be mostly prompt. Figures are medians over rounds of tokens of the answer per second
of wall time, the prompt's forward included, and the ratio of the engine to each within a round.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from steer_engine import (
    Engine,
    Request,
    RowDone,
    Steps,
    compose,
    open_engine,
    read_schema,
    write_json,
)
from steer_engine.models import find_model

SCHEMA = read_schema(
    """
    author: str  # who wrote it
    link: url
    date: date
    amount: float  # what was paid
    category: "praise" | "complaint" | "question"
    verified: bool
    """
)
PROMPT = (
    "Extract these fields from this post:\n"
    "Just paid $49.99 for the pro plan and it is worth every cent! "
    "https://notes.example.com/pricing - Maria Lopez, 3 May 2024"
)
MESSAGES = compose(PROMPT, SCHEMA)


def main() -> None:
    """Measure and print, the last line as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=find_model, default=find_model(None))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    engine = open_engine(options.model, n_threads=options.threads)
    n_tokens = run_engine(engine, Request(0, MESSAGES, SCHEMA))
    systems = {
        "engine": lambda: run_engine(engine, Request(0, MESSAGES, SCHEMA)),
        **peer_systems(
            options.model, n_tokens, engine.render(Request(0, MESSAGES, SCHEMA)), options.threads
        ),
    }
    rates = measure(systems, rounds=options.rounds)
    report(rates, model=options.model)


def measure(systems: dict[str, Callable[[], int]], *, rounds: int) -> dict[str, list[float]]:
    """Return tokens per second of each system and round; the first round warms up."""
    rates: dict[str, list[float]] = {name: [] for name in systems}
    for i in range(rounds + 1):
        for name, run in systems.items():
            start = time.perf_counter()
            n_tokens = run()
            if i > 0:
                rates[name].append(n_tokens / (time.perf_counter() - start))
    return rates


def run_engine(engine: Engine, request: Request) -> int:
    """Run one request; return how many tokens the answer has."""
    events = list(engine.run([request]))
    assert any(isinstance(event, RowDone) for event in events), events[-2]
    return sum(len(event.steps) for event in events if isinstance(event, Steps))


def peer_systems(
    model: Path, n_tokens: int, prompt: str, n_threads: int
) -> dict[str, Callable[[], int]]:
    """Return llama-cpp-python's high-level class without and with its grammar."""
    from llama_cpp import Llama, LlamaGrammar

    with contextlib.redirect_stderr(io.StringIO()):
        llama = Llama(
            str(model), n_ctx=1024, n_threads=n_threads, n_threads_batch=n_threads, verbose=False
        )
        grammar = LlamaGrammar.from_json_schema(write_json(SCHEMA), verbose=False)

    def run(**options: object) -> int:
        # Without this the second call finds the first one's prompt in its cache.
        llama.reset()
        reply = llama.create_completion(prompt, temperature=0.0, **options)
        return int(reply["usage"]["completion_tokens"])

    never_end = {llama.token_eos(): -math.inf}
    return {
        "free": lambda: run(max_tokens=n_tokens, logit_bias=never_end),
        "gbnf": lambda: run(max_tokens=2 * n_tokens, grammar=grammar),
    }


def report(rates: dict[str, list[float]], *, model: Path) -> None:
    """Print medians and the ratios of the engine to the others."""
    ratios = {
        name: statistics.median(
            ours / theirs for ours, theirs in zip(rates["engine"], theirs_of_round, strict=True)
        )
        for name, theirs_of_round in rates.items()
    }
    print(f"{'system':<10}{'tokens/s':>10}{'min':>9}{'max':>9}{'engine is':>12}")
    for name, values in rates.items():
        print(
            f"{name:<10}{statistics.median(values):>10.0f}{min(values):>9.0f}{max(values):>9.0f}"
            f"{ratios[name]:>11.2f}x"
        )
    medians = {name: round(statistics.median(values), 1) for name, values in rates.items()}
    print(json.dumps({"model": model.name, "tokens_per_s": medians, "engine_is": ratios}))


if __name__ == "__main__":
    main()
