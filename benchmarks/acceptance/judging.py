"""One schema, one system: which instances does it get right?"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from acceptance.cases import Case, Instance
from acceptance.spelling import spellings
from acceptance.systems import Compiled, RefusedError, System, Walker, read_case
from steer_engine.errors import SteerError
from steer_engine.mask import allocate_mask, allows
from steer_engine.vocabulary import Vocabulary

End = Literal["judged", "refused", "unsatisfiable", "timeout", "crash"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """An instance that a system got wrong: `text` accepted wrongly, or refused at `at`."""

    kind: Literal["wrong accept", "wrong reject"]
    description: str
    text: str
    at: int = 0  # byte of the text
    reason: str = ""  # in the system's own words, where it has any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one system made of one case."""

    case: Case
    end: End
    reason: str = ""
    keyword: str = ""
    mistakes: tuple[Mistake, ...] = ()
    compile_ms: float = 0.0
    token_us: array[float] = field(default_factory=lambda: array("f"))

    @property
    def is_refusal(self) -> bool:
        """Whether the schema was not taken, although values satisfy it or for another reason."""
        return self.end != "judged" and not self.is_fully_right

    @property
    def n_right(self) -> int:
        """How many instances were judged rightly."""
        if self.end == "judged":
            return len(self.case.instances) - len(self.mistakes)
        return len(self.case.instances) if self.is_fully_right else 0

    @property
    def is_fully_right(self) -> bool:
        """Whether all were; to refuse what nothing satisfies is right."""
        if self.end == "unsatisfiable":
            return not any(instance.is_valid for instance in self.case.instances)
        return self.end == "judged" and not self.mistakes


def lost(case: Case, reason: str) -> Outcome:
    """Return the outcome of a case that took too long or ended its process."""
    return Outcome(case, "timeout" if reason == "timeout" else "crash", reason)


class Judge:
    """Walks instances through the systems' matchers, over one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._mask = allocate_mask(vocabulary.vocab_size)

    def judge(self, system: System, case: Case) -> Outcome:
        """Return what `system` makes of `case`."""
        try:
            compiled = system.compile(case)
            return self._judge(compiled, case)
        except RefusedError as error:
            end: End = "unsatisfiable" if error.is_unsatisfiable else "refused"
            return Outcome(case, end, str(error), error.keyword)
        except Exception as error:  # noqa: BLE001 - any defect is a finding
            return lost(case, f"{type(error).__name__}: {error}")

    def _judge(self, compiled: Compiled, case: Case) -> Outcome:
        token_us = array("f")
        mistakes = tuple(
            mistake
            for instance, texts in zip(case.instances, _spellings(case), strict=True)
            for mistake in self._mistakes(compiled.start, instance, texts, token_us)
        )
        return Outcome(case, "judged", "", "", mistakes, compiled.compile_ms, token_us)

    def _mistakes(
        self,
        start: Callable[[], Walker],
        instance: Instance,
        texts: Sequence[str],
        token_us: array[float],
    ) -> list[Mistake]:
        refusals = []
        for text in texts:
            walker = start()
            at = self._walk(walker, text, token_us)
            if at is None and instance.is_valid:
                return []
            if at is None:
                return [Mistake("wrong accept", instance.description, text)]
            refusals.append((text, at, getattr(walker, "refusal", "")))
        if not instance.is_valid:
            return []
        text, at, reason = refusals[0]
        return [Mistake("wrong reject", instance.description, text, at, reason)]

    def _walk(self, walker: Walker, text: str, token_us: array[float]) -> int | None:
        """Return at which byte `text` is refused, or None where all of it is accepted."""
        data = text.encode("utf-8", "replace")
        at = 0
        for token in self._vocabulary.tokenize_bytes(data, parse_special=False):
            start = time.thread_time_ns()
            walker.fill_mask(self._mask)
            accepted = allows(self._mask, token) and walker.accept(token)
            token_us.append((time.thread_time_ns() - start) / 1e3)
            if not accepted:
                return at
            at += len(self._vocabulary.spellings[token])
        return None if self._may_end(walker) else at

    def _may_end(self, walker: Walker) -> bool:
        if walker.is_stopped:
            return walker.is_accepting
        walker.fill_mask(self._mask)
        return any(allows(self._mask, token) for token in self._vocabulary.eos_ids)


def _spellings(case: Case) -> list[tuple[str, ...]]:
    try:
        document = read_case(case).document
    except SteerError:
        document = case.schema  # only a peer takes it; its order is as good as known
    return [
        # In draft 4 a whole float is no integer: written as one it would be another value.
        spellings(document, each.value, keeps_floats=case.is_draft4 and not each.is_valid)
        for each in case.instances
    ]
