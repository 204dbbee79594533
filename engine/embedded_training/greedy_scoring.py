"""Scores a model file the way it is used: by the engine, greedily, under the schema's grammar.

``python -m embedded_training.greedy_scoring FILE.gguf --examples 100`` prints two tables.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from embedded_training.asking import Example
from embedded_training.evaluation_sets import SETS, evaluation_examples
from embedded_training.exactness import MISSING, Score, score_answer
from steer_engine import Engine, Request, RowDone, RowFailed, compose, open_engine, read_schema


def score_each(engine: Engine, examples: Sequence[Example]) -> list[Score]:
    """Return the score of the engine's model on each of these examples."""
    scores = [Score() for _ in examples]
    requests = [_request(row, item) for row, item in enumerate(examples)]
    for event in engine.run(requests):
        if isinstance(event, RowDone | RowFailed):
            item = examples[event.row]
            record = event.record if isinstance(event, RowDone) else MISSING
            score_answer(scores[event.row], item.answer, record, item.schema)
    return scores


def total(scores: Sequence[Score], *, with_rows: bool) -> Score:
    """Return the sum over the answers with, or those without, a list of objects."""
    return sum((each for each in scores if ("length" in each.asked) == with_rows), Score())


def _request(row: int, item: Example) -> Request:
    schema = read_schema(item.schema)
    return Request(row, compose(item.prompt, schema), schema)


def as_table(scores: dict[str, Score]) -> str:
    """Return a Markdown table: kinds down, sets across, in percent of values."""
    kinds = sorted({kind for score in scores.values() for kind in score.asked})
    lines = ["| kind | " + " | ".join(scores) + " |", "|---" * (len(scores) + 1) + "|"]
    for kind in [*kinds, "all"]:
        cells = [_percent(score, kind) for score in scores.values()]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _percent(score: Score, kind: str) -> str:
    right = sum(score.right.values()) if kind == "all" else score.right[kind]
    asked = sum(score.asked.values()) if kind == "all" else score.asked[kind]
    return f"{100 * right / asked:.0f} ({asked})" if asked else "-"


def main() -> None:
    """Score the model of the command line; write one table for each shape of answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--examples", type=int, default=100, help="of each set")
    parser.add_argument("--threads", type=int, help="as many as there are cores, if not given")
    arguments = parser.parse_args()
    examples = {name: evaluation_examples(name, arguments.examples) for name in SETS}
    with open_engine(arguments.gguf, n_threads=arguments.threads) as engine:
        scores = {name: score_each(engine, items) for name, items in examples.items()}
    for heading, with_rows in (("One object", False), ("A list of objects", True)):
        sums = {name: total(each, with_rows=with_rows) for name, each in scores.items()}
        sys.stdout.write(f"### {heading}\n\n{as_table(sums)}\n\n")


if __name__ == "__main__":
    main()
