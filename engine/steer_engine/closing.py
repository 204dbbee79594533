"""Every row ends inside its budget: a valid way to close the text is known at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from steer_engine.byte_index import ByteIndex
from steer_engine.errors import BudgetError
from steer_engine.hints import NO_HINTS, Hints, hints_of
from steer_engine.matcher import Matcher
from steer_engine.schema import Schema
from steer_engine.schema.lengths import least_bytes
from steer_engine.shortest import Search, follow
from steer_engine.steps import Step
from steer_engine.text_forms import TextForm
from steer_engine.text_place import START, Place
from steer_engine.vocabulary import TokenId

_MANY = 4096  # tokens
_NEAR_END = 16  # tokens; no more are spent on a row that has no completion


def shortest_completion(
    matcher: Matcher,
    index: ByteIndex,
    *,
    max_tokens: int,
    place: Place = START,
    hints: Hints = NO_HINTS,
) -> list[TokenId] | None:
    """Return tokens that complete the text, few and at most `max_tokens`; None if none are found.

    The completion is always valid and mostly the shortest. `matcher` stays where it is, and that is
    at `place`.
    """
    if matcher.is_accepting or max_tokens < 1:
        return [] if matcher.is_accepting else None
    search = Search(index, max_tokens=max_tokens, hints=hints)
    for tokens in search.completions(matcher, replace(place, depth=0)):
        if len(tokens) <= max_tokens:
            return tokens
        fewer = index.fewest_tokens(index.vocabulary.spell(tokens))
        if len(fewer) <= max_tokens and completes(matcher, fewer):
            return fewer
    return None


def completes(matcher: Matcher, tokens: Sequence[TokenId]) -> bool:
    """Tell whether `tokens` complete the text of `matcher`, which stays where it is."""
    ahead = matcher.copy()
    return follow(ahead, tokens) and ahead.is_accepting


def shortest_answer(
    matcher: Matcher, index: ByteIndex, schema: Schema | TextForm
) -> list[TokenId] | None:
    """Return a shortest answer of the form of `schema`, at whose start `matcher` stands.

    None where none is found that has at most 4,096 tokens.
    """
    place, hints = start_of(schema)
    found = [[]] if matcher.is_accepting else list[list[TokenId]]()
    for tokens in Search(index, max_tokens=_MANY, hints=hints).completions(matcher, place):
        fewer = index.fewest_tokens(index.vocabulary.spell(tokens))
        found.append(fewer if completes(matcher, fewer) else tokens)
    return min((each for each in found if len(each) <= _MANY), key=len, default=None)


def check_budget(
    matcher: Matcher, index: ByteIndex, schema: Schema | TextForm, *, max_tokens: int
) -> None:
    """Raise `BudgetError` if no answer of the form of `schema` has so few tokens.

    Where no answer is found at all, that is known only of what the schema says in plain words.
    """
    place, hints = start_of(schema)
    enough = shortest_completion(matcher, index, max_tokens=max_tokens, place=place, hints=hints)
    if enough is not None:
        return
    answer = shortest_answer(matcher, index, schema)
    n_needed = _least_tokens(index, schema) if answer is None else len(answer)
    if n_needed <= max_tokens:
        return
    found, next_step = f"the shortest answer of this form has {n_needed}", "to that or more"
    if answer is None:  # what is known is a bound, mostly a low one
        found, next_step = f"no answer of this form has fewer than {n_needed}", "well beyond that"
    raise BudgetError(
        f"max_tokens is {max_tokens}, and {found} tokens; raise max_tokens {next_step}"
    )


def _least_tokens(index: ByteIndex, schema: Schema | TextForm) -> int:
    """Return a number of tokens below which there is no answer, without a search."""
    return -(-least_bytes(schema) // index.longest) if isinstance(schema, Schema) else 0


def start_of(schema: Schema | TextForm) -> tuple[Place, Hints]:
    """Return where an answer of the form of `schema` starts, and what helps to complete it."""
    is_json = isinstance(schema, Schema)
    return Place(is_json=is_json), hints_of(schema) if isinstance(schema, Schema) else NO_HINTS


@dataclass(frozen=True, slots=True)
class Closing:
    """How to end a row: undo its last `n_undone` tokens, then write `tokens`."""

    n_undone: int
    tokens: Sequence[TokenId]


class Closer:
    """Sees to it that a row ends inside its budget.

    From time to time it makes sure that what is left of the budget is enough for a completion: at
    first when half of the budget is used up, then each time half of the spare tokens are, at the
    end at every token. Where it is not, the row goes back to where it last was, and ends with the
    completion that was known there. A row that ends in time costs next to nothing.
    """

    def __init__(
        self, index: ByteIndex, matcher: Matcher, schema: Schema | TextForm, *, max_tokens: int
    ) -> None:
        self._index, self._max_tokens = index, max_tokens
        self._start, self._hints = start_of(schema)
        self._known: list[tuple[int, list[TokenId]]] = []  # completions, by the tokens before them
        self._at_start: Matcher | None = matcher.copy()  # until an answer is looked for
        self._next_look = max_tokens // 2

    def exceeded(self, matcher: Matcher, steps: Sequence[Step]) -> Closing | None:
        """Return how to close the row that wrote `steps`; None as long as there is room left."""
        while self._known and self._known[-1][0] > len(steps):
            self._known.pop()  # the row went back behind it
        n_left = self._max_tokens - len(steps)
        if len(steps) < self._next_look and n_left:
            return None
        tokens = self._still_known(matcher, steps)
        if tokens is None or len(tokens) > n_left:
            place = self._start.after(b"".join(step.spelling for step in steps))
            tokens = self._completion(matcher, place, n_left)
        if tokens is not None:
            self._known.append((len(steps), tokens))
        elif closing := self._closing(len(steps)):
            return closing
        self._next_look = len(steps) + max(1, (n_left - len(tokens or ())) // 2)
        return None

    def _closing(self, n_tokens: int) -> Closing | None:
        """Return how to close a row that has no completion; None while it may still get one."""
        if not self._known and self._at_start is not None:
            tokens = self._completion(self._at_start, self._start, self._max_tokens)
            self._known = [] if tokens is None else [(0, tokens)]
            self._at_start = None
        if not self._known:
            return None
        n_kept, tokens = self._known[-1]
        is_near_end = self._max_tokens - n_tokens <= 2 * len(tokens) + _NEAR_END
        return Closing(n_tokens - n_kept, tokens) if is_near_end else None

    def _completion(self, matcher: Matcher, place: Place, max_tokens: int) -> list[TokenId] | None:
        return shortest_completion(
            matcher, self._index, max_tokens=max_tokens, place=place, hints=self._hints
        )

    def _still_known(self, matcher: Matcher, steps: Sequence[Step]) -> list[TokenId] | None:
        """Return what the last known completion has left, or itself where it still completes."""
        if not self._known:
            return None
        n_before, tokens = self._known[-1]
        since = [step.token for step in steps[n_before:]]
        if tokens[: len(since)] == since:
            return tokens[len(since) :]
        return tokens if completes(matcher, tokens) else None
