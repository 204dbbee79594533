"""How many values a model reads out of texts exactly, steered and unsteered.

    python benchmarks/extraction.py [--cases FILE] [--model GGUF] [--examples N] [--verbatim]

Without `--cases`, seven sets are scored: `--examples` fresh texts of each set that the corpus holds
out (new values, new templates, new field names, new domains), and all texts of
`extraction_cases.jsonl`, which were written by hand, and of `extraction_cases_by_others.jsonl` and
`extraction_cases_crowded.jsonl`, which were written by those who knew neither corpus nor model; the
crowded ones are full of values that nothing asks for. Each text is asked

- `steered`: greedily, under the schema's token mask, as a cell does it;
- `unsteered`: the same prompt, which tells the schema too, greedily and without a mask. The answer
  counts where it is JSON, alone or in a code fence;
- `verbatim` (with `--verbatim`): steered, with every plain text field marked `verbatim`.

The last line of output is one JSON object. Its shares are between 0 and 1:

- `exact`, `exact_unsteered`, `exact_verbatim`: of all values that the truths hold, those that the
  answer has in their place and exactly so (`embedded_training.exactness` is the definition: texts
  letter by letter, 1 equals 1.0, a list of texts is one value, the values of a row that was not
  found are wrong);
- `valid`, `valid_unsteered`, `valid_verbatim`: of all cases, those whose answer was complete and
  valid under its schema.

`kinds` has the same for each kind of value, and for `length`: of the lists, those that have as
many items as the true ones; for values in one object and for those in lists of objects; and, of
drawn texts, for each sort of them. When all sets are run, `sets` has all of this for each of them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

# Where the corpus is; last in the path, so that an installed steer_engine wins.
sys.path.append(str(Path(__file__).parent.parent / "engine"))

from embedded_training.exactness import MISSING, Score, score_answer
from extraction_cases import (
    DRAWN_SETS,
    WRITTEN_SETS,
    Case,
    CaseError,
    draw_cases,
    marked_verbatim,
    read_cases,
)
from extraction_figures import (
    CARD_HEADING,
    IN_ONE_OBJECT,
    IN_ROWS,
    Outcome,
    across_sets,
    across_ways,
    as_table,
    figures,
    has_section,
    refresh_card,
    total,
)
from steer_engine import (
    Engine,
    Request,
    RowDone,
    RowFailed,
    SteerError,
    compose,
    open_engine,
    validation_error,
)

WAYS = ("unsteered", "steered", "verbatim")

_FENCED = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL | re.IGNORECASE)


def main() -> None:
    """Score, and print tables and the line of figures."""
    options = _read_options()
    ways = WAYS if options.verbatim else WAYS[:2]
    try:
        cases = dict(_cases_of(options))
        with open_engine(options.model, n_threads=options.threads) as engine:
            sets = {name: ask_all(engine, each, ways, title=name) for name, each in cases.items()}
            model = engine.info
    except (CaseError, SteerError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    figure = {"model": model.name, "quantization": model.quantization, "bytes": model.size_bytes}
    figure |= figures(total(list(sets.values())))
    if options.cases is None:
        print(
            f"## All sets\n\n{across_ways(sets)}\n\n## Steered\n\n{across_sets(sets, 'steered')}\n"
        )
        figure["sets"] = {name: figures(each) for name, each in sets.items()}
    if options.card:
        refresh_card(options.card, sets)
    print(json.dumps(figure))


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=Path, help="score the cases of this JSONL file only")
    parser.add_argument("--model", help="a GGUF file; the embedded model if not given")
    parser.add_argument("--examples", type=int, default=100, help="of each set of the corpus")
    parser.add_argument("--verbatim", action="store_true", help="also with all texts verbatim")
    parser.add_argument("--threads", type=int, help="all cores but one if not given")
    parser.add_argument("--card", type=Path, help="put the tables into this model card")
    options = parser.parse_args()
    if options.examples < 1:
        parser.error("--examples must be 1 or more")
    if options.card and options.cases:
        parser.error("--card takes the figures of all sets; leave out --cases")
    if options.card and not has_section(options.card):
        parser.error(f"{options.card} is no file with a section {CARD_HEADING!r}")
    return options


def _cases_of(options: argparse.Namespace) -> Iterator[tuple[str, list[Case]]]:
    if options.cases is not None:
        yield options.cases.name, read_cases(options.cases)
        return
    for name in DRAWN_SETS:
        cases = draw_cases(name, options.examples)
        if cases:
            yield name, cases
        else:
            print(f"the corpus has no set {name!r}; left out", file=sys.stderr)
    for name, path in WRITTEN_SETS.items():
        yield name, read_cases(path)


def ask_all(
    engine: Engine, cases: Sequence[Case], ways: Sequence[str], *, title: str
) -> dict[str, Outcome]:
    """Ask all cases in each way, and print the table.

    Raises:
        CaseError: the schema of a case cannot be enforced.
    """
    outcomes = {way: sum(ask(engine, cases, way), Outcome()) for way in ways}
    print(f"## {title}\n\n{as_table(outcomes)}\n", flush=True)
    return outcomes


def ask(engine: Engine, cases: Sequence[Case], way: str) -> Iterator[Outcome]:
    """Ask the cases in one way; yield what became of each, as they come.

    Raises:
        CaseError: the schema of a case cannot be enforced.
    """
    requests = [_request(engine, row, case, way) for row, case in enumerate(cases)]
    for event in engine.run(requests):
        if isinstance(event, RowFailed):
            yield scored(cases[event.row], MISSING, is_valid=False)
        elif isinstance(event, RowDone) and way != "unsteered":
            yield scored(cases[event.row], event.record, is_valid=True)
        elif isinstance(event, RowDone):
            yield unsteered(cases[event.row], event.text)


def _request(engine: Engine, row: int, case: Case, way: str) -> Request:
    try:
        schema = marked_verbatim(case.schema) if way == "verbatim" else case.schema
        engine.check(schema)
    except SteerError as error:
        raise CaseError(f"{case.place}: {' '.join(str(error).split())}") from error
    messages = compose(case.prompt, schema)
    return Request(row, messages, None if way == "unsteered" else schema)


def unsteered(case: Case, text: str) -> Outcome:
    """Return the outcome of a text that nothing held to the schema."""
    fenced = _FENCED.search(text)
    try:
        answer = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        return scored(case, MISSING, is_valid=False)
    return scored(case, answer, is_valid=validation_error(case.schema, answer) is None)


def scored(case: Case, answer: object, *, is_valid: bool) -> Outcome:
    """Return the outcome of a single case."""
    score = Score()
    score_answer(score, case.truth, answer, json.loads(case.schema.text))
    parts = [IN_ROWS if _has_rows(case.truth) else IN_ONE_OBJECT, case.sort]
    return Outcome(score, {part: score for part in parts if part}, n_cases=1, n_valid=int(is_valid))


def _has_rows(value: object) -> bool:
    """Tell whether a list of objects is in a value."""
    if isinstance(value, dict):
        return any(map(_has_rows, value.values()))
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


if __name__ == "__main__":
    main()
