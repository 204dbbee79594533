"""How far a model's confidence can be taken for the probability that a value is right.

    python benchmarks/calibration.py [--cases FILE] [--model GGUF] [--examples N] [--svg FILE]

The texts are those of `extraction.py`: without `--cases`, `--examples` of each set that the corpus
holds out, and all written ones. Each is asked greedily, under its schema's mask. Every scalar
value that the model wrote counts once: its confidence, and whether the truth has exactly that value
in its place. Values that the model left out have no confidence and do not count.

There are two kinds of values:

- `choices`, out of an enum or true and false: by the exact probability of what was written;
- `free`, all others: by the geometric mean of the token probabilities, which is what
  ``df.steer.confidence`` shows. A long text has many tokens, so this is no probability of the text.

The last line of output is one JSON object with the figures of both, and of `all` values by what
``df.steer.confidence`` shows. `bins` are the dots of the diagram; `calibration_error` is the mean
distance between confidence and share right over ten bins of equal width; `review` says, for a
``--min-confidence``, which share of all values it marks, and which share of the wrong ones.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Where the corpus is; last in the path, so that an installed steer_engine wins.
sys.path.append(str(Path(__file__).parent.parent / "engine"))

from calibration_figures import Judged, as_svg, as_table, figures
from embedded_training.exactness import MISSING, is_same
from extraction_cases import DRAWN_SETS, WRITTEN_SETS, Case, CaseError, draw_cases, read_cases
from steer_engine import (
    AnyEngine,
    Confidence,
    Request,
    RowDone,
    SteerError,
    compose,
    open_engine,
)

TITLES = {
    "choices": "enums and booleans: exact probability",
    "free": "other values: geometric mean of the tokens",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A value that was written: of which kind, what the cell shows of it, and what is exact."""

    kind: str
    shown: Judged
    exact: Judged


def main() -> None:
    """Ask, and print the tables and the line of figures."""
    options = _read_options()
    try:
        cases = [*_cases_of(options)]
        with open_engine(options.model, n_threads=options.threads) as engine:
            found = [*ask(engine, cases)]
            model = engine.info.name
    except (CaseError, SteerError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    kinds = by_kind(found)
    for kind, values in kinds.items():
        print(f"## {TITLES[kind][0].upper()}{TITLES[kind][1:]}\n\n{as_table(values)}\n")
    if options.svg:
        series = {TITLES[kind]: values for kind, values in kinds.items()}
        options.svg.write_text(as_svg(series, title=f"Calibration of {model}"), encoding="utf-8")
    every = {"all": figures([each.shown for each in found])}
    print(json.dumps({"model": model, **every, **{k: figures(v) for k, v in kinds.items()}}))


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=Path, help="ask the cases of this JSONL file only")
    parser.add_argument("--model", help="a GGUF file; the embedded model if not given")
    parser.add_argument("--examples", type=int, default=100, help="of each set of the corpus")
    parser.add_argument("--threads", type=int, help="all cores but one if not given")
    parser.add_argument("--svg", type=Path, help="write the reliability diagram to this file")
    options = parser.parse_args()
    if options.examples < 1:
        parser.error("--examples must be 1 or more")
    return options


def _cases_of(options: argparse.Namespace) -> Iterator[Case]:
    if options.cases is not None:
        yield from read_cases(options.cases)
        return
    for name in DRAWN_SETS:
        yield from draw_cases(name, options.examples)
    for path in WRITTEN_SETS.values():
        yield from read_cases(path)


def ask(engine: AnyEngine, cases: Sequence[Case]) -> Iterator[Found]:
    """Ask all cases; yield what became of each value, as they come."""
    requests = (
        Request(row, compose(case.prompt, case.schema), case.schema)
        for row, case in enumerate(cases)
    )
    for event in engine.run(requests):
        if isinstance(event, RowDone):
            for known in event.confidence:
                yield judged(known, event.record, cases[event.row].truth)


def judged(known: Confidence, record: object, truth: object) -> Found:
    """Return whether the value that `known` speaks of is the true one."""
    written = _at(record, known.pointer)
    is_right = is_same(_at(truth, known.pointer), written)
    shown = Judged(known.mean, is_right)
    if len(known.alternatives) < 2:  # a const is no choice
        return Found("free", shown, shown)
    prob = next(prob for value, prob in known.alternatives if is_same(value, written))
    return Found("choices", shown, Judged(min(prob, 1.0), is_right))


def by_kind(found: Sequence[Found]) -> dict[str, list[Judged]]:
    """Return the values of each kind by their exact measure."""
    kinds = defaultdict[str, list[Judged]](list)
    for each in found:
        kinds[each.kind].append(each.exact)
    return {kind: kinds[kind] for kind in TITLES if kinds[kind]}


def _at(value: object, pointer: str) -> object:
    """Return what stands at a JSON pointer; `MISSING` where there is nothing."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name, MISSING)
        elif isinstance(value, list):
            value = value[int(name)] if int(name) < len(value) else MISSING
        else:
            return MISSING
    return value


if __name__ == "__main__":
    main()
