"""Is every row that is written valid, and does it come to an end, whatever the model wants?

    python benchmarks/generation.py [--maskbench FILE] [--suite DIR] [--limit N] [--seed S]
        [--vocab GGUF] [--jobs N] [--list]

Every schema of both sets that has a guarded keyword is decoded with a seeded random model, and
with one that wants to write an invalid instance. A row has a budget of tokens and of model calls; a
schema whose shortest answer is beyond it is left out, as it is refused before a run.
The last line is a JSON object: `rows`, `finished`, `invalid`, `gave_up_by_keyword`.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from acceptance.cases import Case
from acceptance.models import AdversarialModel, Model, Prior, RandomModel
from acceptance.spelling import spell, spellings
from acceptance.systems import read_case
from acceptance.workers import in_workers
from conformance import parser, read_cases
from steer_engine.backends.llamacpp_vocabulary import read_vocabulary
from steer_engine.byte_index import ByteIndex
from steer_engine.closing import Closer, check_budget
from steer_engine.decoding import Ask, Undone, decode
from steer_engine.errors import RowError, SteerError
from steer_engine.grammar import GrammarCompiler
from steer_engine.matcher import Matcher
from steer_engine.sampling import greedy
from steer_engine.schema import JsonObject, JsonValue, Schema, validation_error
from steer_engine.schema.lowering import lowered
from steer_engine.vocabulary import Vocabulary

MAX_TOKENS = 1000
MAX_CALLS = 2000
_N_WISHES = 2  # invalid instances for a schema
_MAX_TEXT = 4000  # characters of an instance that the prior learns from


@dataclass(frozen=True, slots=True)
class Row:
    """How one row ended."""

    case: str
    model: str
    end: Literal["finished", "closed", "length", "gave up", "lost"]
    text: str = ""
    fault: str = ""  # why it is invalid
    reason: str = ""  # why it gave up
    keyword: str = ""  # that is to blame for giving up
    n_calls: int = 0


def main() -> None:
    """Decode and print, the last line as JSON."""
    sys.setrecursionlimit(20_000)  # some rows nest 300 levels, and are checked by recursion
    options = parser(__doc__.splitlines()[0]).parse_args()
    vocabulary = read_vocabulary(options.vocab)
    cases = read_cases(options)
    writer = Writer(vocabulary, cases, seed=options.seed)
    per_case = in_workers(
        writer.rows,
        cases,
        lost=lambda case, reason: [Row(case.name, "-", "lost", "", "", reason, case.keyword)],
        limit_s=options.time_limit * 4,
        n_jobs=options.jobs,
    )
    report([row for rows in per_case for row in rows], lists_all=options.list)


class Writer:
    """Writes rows for cases over one vocabulary."""

    def __init__(self, vocabulary: Vocabulary, cases: Sequence[Case], *, seed: int) -> None:
        self._vocabulary, self._seed = vocabulary, seed
        self._index = ByteIndex(vocabulary)
        self._compiler = GrammarCompiler(vocabulary)
        self._prior = Prior(vocabulary, _texts(cases))

    def rows(self, case: Case) -> list[Row]:
        """Return the rows written for `case`; none if it is refused or the mask enforces it all."""
        try:
            schema = read_case(case)
            grammar = self._compiler.compile(schema)
            check_budget(grammar.matcher(), self._index, schema, max_tokens=MAX_TOKENS)
        except SteerError:
            return []  # whether that is right is a question of conformance
        clauses = lowered(schema.document).clauses
        if all(clause.treatment == "masked" for clause in clauses):
            return []
        return [
            self._row(case, schema, grammar.matcher(), name, model)
            for name, model in self._models(case, schema)
        ]

    def _models(self, case: Case, schema: Schema) -> Iterator[tuple[str, Model]]:
        yield "random", RandomModel(self._vocabulary, self._prior, self._seed)
        invalid = [each.value for each in case.instances if not each.is_valid]
        for i, value in enumerate(invalid[:_N_WISHES]):
            wish = spellings(schema.document, value)[0]
            model = AdversarialModel(self._vocabulary, self._prior, self._seed + i, wish)
            yield f"wants {wish[:80]}", model

    def _row(self, case: Case, schema: Schema, matcher: Matcher, name: str, model: Model) -> Row:
        closer = Closer(self._index, matcher, schema, max_tokens=MAX_TOKENS)
        writing = _Writing(self._vocabulary, matcher, model, closer)
        try:
            end = writing.finish()
        except RowError as error:
            reason = str(error)
            return Row(case.name, name, "gave up", writing.text, "", reason, _blamed(reason, case))
        text, fault = writing.text, fault_of(schema, writing.text)
        if end == "length":
            if fault:  # cut off, not closed
                return Row(case.name, name, "length", text, "", "", _blamed("", case))
            return Row(case.name, name, "closed", text, n_calls=writing.n_calls)
        return Row(case.name, name, "finished", text, fault, n_calls=writing.n_calls)


def _texts(cases: Sequence[Case]) -> Iterator[str]:
    for case in cases:
        for instance in case.instances:
            text = spell(instance.value)
            if instance.is_valid and len(text) <= _MAX_TEXT:
                yield text


def _blamed(reason: str, case: Case) -> str:
    quoted = re.search("`([^`]+)`", reason)
    return quoted[1] if quoted else case.keyword or "budget"


class _Writing:
    """One row being written by a model."""

    def __init__(
        self, vocabulary: Vocabulary, matcher: Matcher, model: Model, closer: Closer
    ) -> None:
        self._vocabulary, self._matcher = vocabulary, matcher
        self._model, self._closer = model, closer
        self._steps: list[int] = []
        self.n_calls = 0

    @property
    def text(self) -> str:
        return self._vocabulary.spell(self._steps).decode("utf-8", "replace")

    def finish(self) -> str:
        """Write to the end; return why it ended: ``"length"`` also where the calls are spent."""
        prompt = [self._vocabulary.eos_id]
        decoding = decode(
            self._vocabulary,
            self._matcher,
            prompt,
            sampler=greedy,
            max_tokens=MAX_TOKENS,
            closer=self._closer,
        )
        said = next(decoding)
        while self.n_calls < MAX_CALLS:
            logits = None
            if isinstance(said, Ask):
                self.n_calls += 1
                logits = self._model.logits(self._steps)
            elif isinstance(said, Undone):
                del self._steps[len(self._steps) - said.n_steps :]
            else:
                self._steps += [step.token for step in said]
            try:
                said = decoding.send(logits)
            except StopIteration as end:
                return str(end.value)
        return "length"


def fault_of(schema: Schema, text: str) -> str:
    """Return why `text` is not a valid value of `schema`; empty if it is one."""
    try:
        value: JsonValue = json.loads(text, object_pairs_hook=_without_twins)
    except ValueError as error:
        return str(error)
    return validation_error(schema, value) or ""


def _without_twins(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key is there twice")
    return value


def report(rows: Sequence[Row], *, lists_all: bool) -> None:
    """Print how the rows ended; those that are invalid always."""
    for row in rows:
        if row.fault:
            print(f"INVALID: {row.case} ({row.model}): {row.fault}\n    {row.text[:400]}")
        elif lists_all and row.end not in ("finished", "closed"):
            print(f"{row.end}: {row.case} ({row.model}): {row.reason}\n    {row.text[-200:]}")
    ends = Counter((row.model.split()[0], row.end) for row in rows)
    for model in sorted({model for model, _ in ends}):
        of_model = {end: n for (name, end), n in sorted(ends.items()) if name == model}
        print(f"{model:<10}" + ", ".join(f"{end}: {n}" for end, n in of_model.items()))
    stuck = Counter(row.keyword for row in rows if row.end not in ("finished", "closed"))
    figures = {
        "rows": len(rows),
        "finished": sum(row.end in ("finished", "closed") for row in rows),
        "closed": sum(row.end == "closed" for row in rows),
        "invalid": sum(bool(row.fault) for row in rows),
        "gave_up_by_keyword": dict(stuck.most_common()),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
