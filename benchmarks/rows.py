"""Rows per second of the engine against its peers, on one model, with the same prompts.

    python benchmarks/rows.py [--model embedded|half-billion|all] [--schemas small,wide,label]
        [--rows N] [--peer-rows N] [--repetitions N] [--systems NAMES] [--quick]

Six systems answer the same posts: steermagic (`Engine.run` over all rows), llama-cpp-python's
`create_chat_completion` with its JSON-schema grammar, the same with an llguidance logits processor,
Outlines and guidance over llama.cpp, and llama-cpp-python without any schema. Each is called as its
users call it, in a process of its own, with one thread, temperature 0, the same messages in the
model's own chat template, and the prefix reuse that it has by itself. They take turns; a ratio is
the median over repetitions.

- `half-billion` has random weights in the shape of Qwen2.5-0.5B, Q4_0, with the 151,936 tokens of
  Qwen2. Its forward, masks, samplers and caches cost what real ones cost. **What it writes is
  simulated**: an oracle raises the logit of the token that continues a known answer, for every
  system alike and outside of the measured time. An answer other than the known one is wrong.
- `embedded` is the model that steermagic comes with, and its answers are its own. An answer that
  is not valid under the schema is wrong; systems that write more or fewer tokens are not alike.

The main clock is the processor time of the system's process, since machines are shared; rows per
second of wall time stand beside it. Ours answers `--rows` rows at once. A peer, which answers one
row after the other, gets `--peer-rows` of them in a repetition, others in the next. Each has
answered one row of the schema before, so that a prefix that a system keeps is there; ours reads the
prefix in every repetition anew. Grammars are compiled before as well, where the library can keep
them. `passes` are native decode calls, `tokens` what goes through them, `logits` the positions that
logits were computed for, all per row; `MB` is the most memory that the process had.

Environments and models are made at the first run, in `--cache`. `--quick` makes nothing, and runs
what is there for a minute. The last line of output is one JSON object: `vs_…` says how many times
as many rows ours answers, on the last model, as the geometric mean over the schemas (null for what
could not run; `missing` says why); `overhead` is the share of our time outside of the forward.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from many_rows.cases import FIELDS_OF
from many_rows.environments import Environments, MissingError
from many_rows.measuring import Found, Plan, measure
from many_rows.reporting import print_found, summary
from many_rows.systems import OURS, SYSTEMS
from steer_engine.models import embedded_path

_DATA = Path(os.environ.get("STEER_TEST_DATA", Path(__file__).parents[2] / "shared")) / "data"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "steermagic-benchmarks"
_EMBEDDED, _HALF_BILLION = "embedded", "half-billion"


def main() -> None:
    """Measure and print, the last line as JSON."""
    options = _options()
    environments = Environments(options.cache, installs=not options.quick)
    by_model: dict[str, Found] = {}
    try:
        models = dict(_models(options, environments))
    except MissingError as error:
        sys.exit(str(error))
    for name, path in models.items():
        is_told = name == _HALF_BILLION
        by_model[name] = measure(path, _plan(options, name), environments, is_told=is_told)
        print_found(f"{name}, its text simulated" if is_told else name, by_model[name])
    print(json.dumps(summary(by_model, options.systems, simulated=[_HALF_BILLION])))
    for found in by_model.values():
        if OURS in found.missing or any(turn.n_wrong for turn in found.all_turns(OURS)):
            sys.exit(found.missing.get(OURS, "an answer of ours is not what it should be"))


def _models(options: argparse.Namespace, environments: Environments) -> Iterator[tuple[str, Path]]:
    if options.model in (_EMBEDDED, "all"):
        yield _EMBEDDED, embedded_path()
    if options.model in (_HALF_BILLION, "all"):
        yield _HALF_BILLION, environments.half_billion(options.vocab)


def _plan(options: argparse.Namespace, model: str) -> Plan:
    return Plan(
        systems=options.systems,
        schemas=options.schemas,
        n_rows=options.rows,
        n_peer_rows=options.peer_rows,
        n_repetitions=options.repetitions,
        scale=options.scale if model == _EMBEDDED else (),
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="the embedded model and few rows; install nothing")
    is_quick = parser.parse_known_args()[0].quick
    add(
        "--model",
        choices=[_EMBEDDED, _HALF_BILLION, "all"],
        default=_EMBEDDED if is_quick else "all",
    )
    add("--schemas", type=_names(FIELDS_OF), default=["small"] if is_quick else list(FIELDS_OF))
    add("--systems", type=_names(SYSTEMS), default=list(SYSTEMS))
    add("--rows", type=_count, default=6 if is_quick else 20)
    add("--peer-rows", type=_count, default=3)
    add("--repetitions", type=_count, default=2 if is_quick else 3)
    add("--scale", type=_counts, default=[] if is_quick else [100, 1000, 10_000])
    add("--cache", type=Path, default=_CACHE)
    add("--vocab", type=Path, default=_DATA / "vocab" / "ggml-vocab-qwen2.gguf")
    return parser.parse_args()


def _names(known: Collection[str]) -> Callable[[str], list[str]]:
    """Return a reader of names with commas between them."""

    def read(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",")]
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return read


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive whole number")
    return int(text)


def _counts(text: str) -> list[int]:
    return [_count(part) for part in text.split(",") if part]


if __name__ == "__main__":
    main()
