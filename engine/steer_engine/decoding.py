"""The decode loop: what the grammar forces is not sampled, what it forbids cannot be."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from steer_engine.backtracking import Backtracking
from steer_engine.closing import Closer, Closing
from steer_engine.cursor import JsonCursor
from steer_engine.errors import BudgetError, DefectError, RowError
from steer_engine.mask import Logits, allocate_mask, allows, apply_mask
from steer_engine.matcher import Matcher
from steer_engine.sampling import Sampler, greedy, log_normalizer
from steer_engine.steps import Step
from steer_engine.vocabulary import TokenId, Vocabulary

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What the model is asked: to forget a row's last tokens, read others, and say what follows."""

    tokens: Sequence[TokenId]
    n_forgotten: int = 0


@dataclass(frozen=True, slots=True)
class Undone:
    """The last `n_steps` tokens were taken back: they led to no valid value in the budget."""

    n_steps: int


def decode(
    vocabulary: Vocabulary,
    matcher: Matcher,
    prompt: Sequence[TokenId],
    *,
    sampler: Sampler,
    max_tokens: int,
    is_json: bool = True,
    closer: Closer | None = None,
) -> Generator[Ask | tuple[Step, ...] | Undone, Logits | None, FinishReason]:
    """Continue `prompt` inside the matcher's grammar.

    The generator does not call the model, so that one call can serve many rows. It yields an `Ask`,
    to which the logits after its last token are sent, shape ``(vocab_size,)``; the steps that the
    row has gained; or how many of them are taken back. It returns why it ended: ``"stop"`` when the
    model ended the text, ``"length"`` when `max_tokens` were used up; a `closer` has completed the
    text then. Where it need not be JSON (`is_json` false) the steps' pointers are empty.

    Raises:
        RowError: no way was found to a complete text.
        BudgetError: `max_tokens` are used up and the text is not complete.
    """
    decoder = _Decoder(vocabulary, matcher, sampler, is_json=is_json)
    ask = Ask(prompt)
    while True:
        forced = decoder.force(max_tokens)
        if forced:
            yield forced
        if matcher.is_stopped:
            return "stop"
        if (yield from decoder.end_in_time(closer, max_tokens)):
            return "length"
        logits = yield Ask([*ask.tokens, *(step.token for step in forced)], ask.n_forgotten)
        choice = decoder.choose(_answered(logits))
        if choice is None:
            return "stop"
        if isinstance(choice, Undone):
            yield choice
            # The model says once more what follows the last token that stays.
            last = decoder.steps[-1].token if decoder.steps else prompt[-1]
            ask = Ask([last], n_forgotten=choice.n_steps + 1)
        else:
            yield (choice,)
            ask = Ask([choice.token])


def _answered(logits: Logits | None) -> Logits:
    if logits is None:
        raise DefectError("the model was asked and did not answer; please report this")
    return logits


class _Decoder:
    """The state of one generation: its steps, matcher, cursor and search, and the mask's buffer."""

    def __init__(
        self, vocabulary: Vocabulary, matcher: Matcher, sampler: Sampler, *, is_json: bool
    ) -> None:
        self.steps: list[Step] = []
        self._vocabulary = vocabulary
        self._matcher = matcher
        self._sampler = sampler
        self._cursor = JsonCursor() if is_json else None
        self._search = Backtracking()
        self._mask = allocate_mask(vocabulary.vocab_size)

    def force(self, max_tokens: int) -> tuple[Step, ...]:
        """Accept the tokens that the grammar forces, as long as `max_tokens` are not exceeded."""
        first = len(self.steps)
        for token in self._matcher.fast_forward_tokens()[: max_tokens - first]:
            if self._search.is_in_vain(token, len(self.steps)) or not self._matcher.accept(token):
                break
            spelling = self._vocabulary.spellings[token]
            self.steps.append(Step(token, spelling, "forced", self._point(spelling)))
        return tuple(self.steps[first:])

    def choose(self, logits: Logits) -> Step | Undone | None:
        """Sample a token that the grammar allows and accept it; None ends the text."""
        while True:
            self._fill_mask()
            if not self._mask.any():
                n_steps = self._matcher.examine()
                self._fill_mask()
                if n_steps or not self._mask.any():
                    return self._take_back(n_steps)
            masked = apply_mask(logits, self._mask)
            token = self._sampler(masked)
            if token in self._vocabulary.eos_ids:
                return None
            is_forced = self._matcher.forced_bytes().startswith(self._vocabulary.spellings[token])
            if self._matcher.accept(token):
                self.steps.append(self._step(token, logits, masked, is_forced=is_forced))
                return self.steps[-1]
            n_steps = self._matcher.examine()
            if n_steps or self._search.note_refusal(self._pointer):
                return self._take_back(n_steps)

    def _fill_mask(self) -> None:
        self._matcher.fill_mask(self._mask)
        self._search.exclude(self._mask, len(self.steps))

    def _take_back(self, n_steps: int) -> Undone:
        """Undo the last `n_steps` steps and those that led to them, or as many as the search says.

        Raises:
            RowError: the search gives up.
        """
        try:
            if n_steps:
                n_steps = self._search.take_back(self.steps, n_steps)
            else:
                n_steps = self._search.leave_value(self.steps, self._pointer)
        except RowError as error:
            raise RowError(self._blame(str(error))) from None
        return self._undo(n_steps)

    def end_in_time(
        self, closer: Closer | None, max_tokens: int
    ) -> Generator[tuple[Step, ...] | Undone, Logits | None, bool]:
        """End the text if the budget asks for it; tell whether it has ended.

        Raises:
            BudgetError: the budget is used up and the text is not complete.
        """
        closing = closer.exceeded(self._matcher, self.steps) if closer else None
        if closing is not None:
            yield from self._close(closing)
            return True
        if len(self.steps) == max_tokens and not self._matcher.is_accepting:
            raise BudgetError("the answer is not complete")
        return len(self.steps) == max_tokens

    def _close(self, closing: Closing) -> Iterator[tuple[Step, ...] | Undone]:
        """End the text the way that `closing` says."""
        if closing.n_undone:
            yield self._undo(closing.n_undone)
        first = len(self.steps)
        for token in closing.tokens:
            if not self._matcher.accept(token):
                raise DefectError("an answer could not be closed as it was meant; please report it")
            spelling = self._vocabulary.spellings[token]
            self.steps.append(Step(token, spelling, "closed", self._point(spelling)))
        if closing.tokens:
            yield tuple(self.steps[first:])

    def _undo(self, n_steps: int) -> Undone:
        self._matcher.rollback(n_steps)
        del self.steps[len(self.steps) - n_steps :]
        if self._cursor is not None:
            self._cursor = JsonCursor()
            self._cursor.feed(b"".join(step.spelling for step in self.steps))
        return Undone(n_steps)

    def _blame(self, reason: str) -> str:
        where = self._pointer or "the root"
        why = f": {self._matcher.refusal}" if self._matcher.refusal else ""
        return f"{reason} at {where}{why}; loosen the schema there, or say in the prompt what fits"

    @property
    def _pointer(self) -> str:
        return self._cursor.pointer if self._cursor is not None else ""

    def _step(self, token: TokenId, logits: Logits, masked: Logits, *, is_forced: bool) -> Step:
        """Return how `token`, just accepted, came about."""
        favourite, normalizer = greedy(logits), log_normalizer(logits)
        overruled = not is_forced and not allows(self._mask, favourite)
        spellings = self._vocabulary.spellings
        return Step(
            token,
            spellings[token],
            "forced" if is_forced else "narrowed" if overruled else "chosen",
            self._point(spellings[token]),
            logprob=float(logits[token]) - normalizer,
            masked_logprob=float(masked[token]) - log_normalizer(masked),
            wanted=spellings[favourite] if overruled else None,
            wanted_logprob=float(logits[favourite]) - normalizer if overruled else None,
        )

    def _point(self, spelling: bytes) -> str:
        """Move the cursor over a token; return the pointer of the value it belongs to."""
        if self._cursor is None:
            return ""
        before, was_inside = self._cursor.pointer, self._cursor.in_scalar
        self._cursor.feed(spelling)
        return before if was_inside else self._cursor.pointer
