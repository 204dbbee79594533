"""The decode loop: what the grammar forces is not sampled, what it forbids cannot be."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from steer_engine.alternatives import Alternatives, Stand
from steer_engine.backtracking import Backtracking
from steer_engine.closing import Closer, Closing
from steer_engine.cursor import JsonCursor
from steer_engine.errors import BudgetError, DefectError, RowError
from steer_engine.forking import Forking
from steer_engine.mask import Logits
from steer_engine.matcher import Matcher
from steer_engine.outlook import Outlook
from steer_engine.picking import Pick, Picker
from steer_engine.sampling import Sampler
from steer_engine.steps import Fork, Step
from steer_engine.vocabulary import TokenId, Vocabulary

FinishReason = Literal["stop", "length", "context"]
"""Why a row ended: by itself, at `max_tokens`, or before that as its context was full."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the model is asked: to forget a row's last tokens, read others, and say what follows.

    What is read `aside` is about an alternative, and forgotten next.
    """

    tokens: Sequence[TokenId]
    n_forgotten: int = 0
    aside: bool = False


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
    alternatives: Alternatives | None = None,
    can_trim: bool = True,
) -> Generator[Ask | tuple[Step, ...] | Undone, Logits | None, FinishReason]:
    """Continue `prompt` inside the matcher's grammar.

    The generator does not call the model, so that one call can serve many rows. It yields an `Ask`,
    to which the logits after its last token are sent, shape ``(vocab_size,)``; the steps that the
    row has gained; or how many of them are taken back. It returns why it ended: ``"stop"`` when the
    model ended the text, ``"length"`` when `max_tokens` were used up; a `closer` has completed the
    text then. Where it need not be JSON (`is_json` false) the steps' pointers are empty. Steps of
    values that have `alternatives` are forks, for which a model that `can_trim` is asked some more.

    Raises:
        RowError: no way was found to a complete text, or the logits are no numbers.
        BudgetError: `max_tokens` are used up and the text is not complete.
    """
    decoder = _Decoder(
        vocabulary,
        matcher,
        sampler,
        max_tokens=max_tokens,
        is_json=is_json,
        alternatives=alternatives,
        can_trim=can_trim,
    )
    ask = Ask(prompt)
    while True:
        forced = decoder.force()
        if forced:
            yield forced
        if matcher.is_stopped:
            return "stop"
        if (yield from decoder.end_in_time(closer)):
            return "length"
        logits = yield Ask([*ask.tokens, *(step.token for step in forced)], ask.n_forgotten)
        choice = yield from decoder.choose(_answered(logits))
        if choice is None:
            return "stop"
        if isinstance(choice, Undone):
            yield choice
            # The model says once more what follows the last token that stays.
            last = decoder.steps[-1].token if decoder.steps else prompt[-1]
            ask = Ask([last], n_forgotten=choice.n_steps + 1)
        else:
            yield (choice,)
            if choice.token in vocabulary.eos_ids:
                return "stop"
            ask = Ask([choice.token], n_forgotten=decoder.n_astray)


def _answered(logits: Logits | None) -> Logits:
    if logits is None:
        raise DefectError("the model was asked and did not answer; please report this")
    return logits


@dataclass(frozen=True, slots=True)
class _Choice:
    """A token that is accepted; the text of the matcher `before` it stands at `stand`, if any."""

    pick: Pick
    is_forced: bool
    stand: Stand | None
    before: Matcher


class _Decoder:
    """The state of one generation: its steps, matcher, cursor and search."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        matcher: Matcher,
        sampler: Sampler,
        *,
        max_tokens: int,
        is_json: bool,
        alternatives: Alternatives | None,
        can_trim: bool,
    ) -> None:
        self.steps: list[Step] = []
        self.n_astray = 0  # tokens of the last step's questions, which the model has to forget
        self._vocabulary = vocabulary
        self._matcher = matcher
        self._max_tokens = max_tokens
        self._cursor = JsonCursor() if is_json else None
        self._alternatives = alternatives
        self._can_trim = can_trim
        self._search = Backtracking()
        self._picker = Picker(matcher, sampler, self._search, vocab_size=vocabulary.vocab_size)

    def force(self) -> tuple[Step, ...]:
        """Accept the tokens that the grammar forces, as long as `max_tokens` are not exceeded."""
        first = len(self.steps)
        for token in self._matcher.fast_forward_tokens()[: self._max_tokens - first]:
            if self._search.is_in_vain(token, len(self.steps)) or not self._matcher.accept(token):
                break
            spelling = self._vocabulary.spellings[token]
            self.steps.append(Step(token, spelling, "forced", self._point(spelling)))
        return tuple(self.steps[first:])

    def choose(self, logits: Logits) -> Generator[Ask, Logits | None, Step | Undone | None]:
        """Sample a token that the grammar allows and accept it; None ends the text."""
        outlook = Outlook(logits)
        choice = self._sample(outlook)
        if isinstance(choice, Undone):
            return choice
        self.n_astray = 0
        step = self._step(choice, outlook)  # now: the next call of the model overwrites the logits
        if choice.stand is not None:
            step = replace(step, fork=(yield from self._fork(choice, choice.stand, logits)))
        if choice.pick.token in self._vocabulary.eos_ids and step.fork is None:
            return None
        self.steps.append(step)
        return step

    def _sample(self, outlook: Outlook) -> _Choice | Undone:
        """Sample tokens until one is accepted, or something has to be taken back."""
        while True:
            forced = self._matcher.forced_bytes()
            stand = self._stand(forced)
            place = len(self.steps)
            pick = self._picker.pick(outlook, place, with_mask=stand is not None)
            if pick is None:
                n_steps = self._matcher.examine()
                pick = None if n_steps else self._picker.pick(outlook, place, with_mask=True)
                if pick is None:
                    return self._take_back(n_steps)
            is_forced = forced.startswith(self._vocabulary.spellings[pick.token])
            before = self._matcher.copy() if stand else self._matcher
            if pick.token in self._vocabulary.eos_ids or self._matcher.accept(pick.token):
                return _Choice(pick, is_forced, stand, before)
            n_steps = self._matcher.examine()
            if n_steps or self._search.note_refusal(self._pointer):
                return self._take_back(n_steps)

    def _stand(self, forced: bytes) -> Stand | None:
        """Return the value out of a set that the text stands in or before, if any."""
        if self._alternatives is None:
            return None
        return self._alternatives.stand(self._cursor, forced, self.steps)

    def _fork(
        self, choice: _Choice, stand: Stand, logits: Logits
    ) -> Generator[Ask, Logits | None, Fork | None]:
        """Return how probable the alternatives were; the model is asked about what is open."""
        room = self._max_tokens - len(self.steps) if self._can_trim else 0
        forking = Forking(stand, choice.before, self._vocabulary, max_tokens=room)
        dividing = forking.divide(logits, self._picker.mask, choice.pick.token)
        try:
            tokens = next(dividing)
            while True:
                answer = yield Ask(tokens, n_forgotten=self.n_astray, aside=True)
                self.n_astray = len(tokens)
                tokens = dividing.send(_answered(answer))
        except StopIteration as end:
            fork: Fork | None = end.value
            return fork

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
        self, closer: Closer | None
    ) -> Generator[tuple[Step, ...] | Undone, Logits | None, bool]:
        """End the text if the budget asks for it; tell whether it has ended.

        Raises:
            BudgetError: the budget is used up and the text is not complete.
        """
        closing = closer.exceeded(self._matcher, self.steps) if closer else None
        if closing is not None:
            yield from self._close(closing)
            return True
        is_used_up = len(self.steps) == self._max_tokens
        if is_used_up and not self._matcher.is_accepting:
            raise BudgetError("the answer is not complete")
        return is_used_up

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

    def _step(self, choice: _Choice, outlook: Outlook) -> Step:
        """Return how the token, just accepted, came about."""
        pick, favourite = choice.pick, outlook.favourite
        spellings = self._vocabulary.spellings
        is_end = pick.token in self._vocabulary.eos_ids
        spelling = b"" if is_end else spellings[pick.token]
        overruled = pick.is_overruled and not choice.is_forced
        return Step(
            pick.token,
            spelling,
            "forced" if choice.is_forced else "narrowed" if overruled else "chosen",
            self._point(spelling),
            logprob=outlook.logprob(pick.token),
            masked_logprob=pick.masked_logprob,
            wanted=spellings[favourite] if overruled else None,
            wanted_logprob=outlook.logprob(favourite) if overruled else None,
        )

    def _point(self, spelling: bytes) -> str:
        """Move the cursor over a token; return the pointer of the value it belongs to."""
        if self._cursor is None:
            return ""
        before, was_inside = self._cursor.pointer, self._cursor.in_scalar
        self._cursor.feed(spelling)
        return before if was_inside else self._cursor.pointer
