"""Values out of a fixed set: where they stand, and which alternatives a text leaves open."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from steer_engine.cursor import JsonCursor
from steer_engine.schema import JsonValue, Schema
from steer_engine.schema.choices import MAX_CHOICES, choice_places
from steer_engine.schema.lowering import spelled
from steer_engine.schema.places import Path
from steer_engine.steps import Step
from steer_engine.text_forms import Choices, TextForm

_OF_NUMBERS = frozenset(b"0123456789.eE+-")
_BEYOND = b"\xff"  # is in no UTF-8 text, and comes after all that is


class Members:
    """The alternatives of one place: `values`, and how they are written."""

    def __init__(self, values: Sequence[JsonValue], *, is_json: bool) -> None:
        self.values = tuple(values)
        texts = (spelled(value) if is_json else str(value) for value in values)
        self._texts = [text.encode("utf-8", "replace") for text in texts]
        self._order = sorted(range(len(values)), key=self._texts.__getitem__)
        self._sorted = [self._texts[number] for number in self._order]

    def fitting(self, written: bytes) -> tuple[int, ...]:
        """Return the numbers of those that a text beginning with `written` still can be, or is."""
        start = bisect_left(self._sorted, written)
        end = bisect_left(self._sorted, written + _BEYOND, lo=start)
        if start < end:
            return tuple(self._order[start:end])
        ended = (n for n, text in enumerate(self._texts) if _goes_beyond(written, text))
        return tuple(ended)

    def equal_to(self, written: bytes) -> tuple[int, ...]:
        """Return the number of the one that is just `written`, if there is one."""
        return tuple(number for number, text in enumerate(self._texts) if text == written)


def _goes_beyond(written: bytes, text: bytes) -> bool:
    """Tell whether `written` is `text` and what follows it in a larger text."""
    if not written.startswith(text):
        return False
    return not (text[-1] in _OF_NUMBERS and written[len(text)] in _OF_NUMBERS)


@dataclass(frozen=True)
class Stand:
    """Where a text stands: before or in the value at `pointer`, one of `members`.

    `lead` is forced and comes before the value; of the value itself `written` is there.
    """

    members: Members
    pointer: str
    lead: bytes
    written: bytes

    @cached_property
    def fitting(self) -> tuple[int, ...]:
        """The numbers of the alternatives that are still open."""
        return self.members.fitting(self.written)

    def after(self, spelling: bytes) -> Stand:
        """Return the place that `spelling`, which the mask allows, leads to."""
        lead, rest = self.lead[len(spelling) :], spelling[len(self.lead) :]
        return Stand(self.members, self.pointer, lead, self.written + rest)

    def is_left_by(self, spelling: bytes) -> bool:
        """Tell whether `spelling` ends a list in which there was a turn for the value."""
        return not self.lead and not self.written and spelling.startswith(b"]")


@lru_cache(maxsize=64)
def alternatives_of(asked: Schema | TextForm) -> Alternatives | None:
    """Return the places of an answer's values out of fixed sets; None where it has none."""
    if isinstance(asked, Choices) and len(asked.options) <= MAX_CHOICES:
        return Alternatives(None, Members(asked.options, is_json=False))
    if isinstance(asked, Schema) and not choice_places(asked).is_empty:
        return Alternatives(asked)
    return None


class Alternatives:
    """The places whose values come out of fixed sets: of a schema, or the answer as a whole."""

    def __init__(self, schema: Schema | None, whole: Members | None = None) -> None:
        self._schema = schema
        self._found: dict[Path, Members | None] = {(): whole} if schema is None else {}

    def at(self, path: Path) -> Members | None:
        """Return the alternatives of the value at `path`, or None where it is free."""
        if path not in self._found and self._schema is not None:
            values = choice_places(self._schema).at(path)
            self._found[path] = Members(values, is_json=True) if values else None
        return self._found.get(path)

    def stand(
        self, cursor: JsonCursor | None, forced: bytes, steps: Sequence[Step]
    ) -> Stand | None:
        """Return where the text of `steps` stands once `forced` is written.

        None where no value is open or about to begin, where only one alternative is left, or where
        some were ruled out by a token that was not a fork.
        """
        stand = self._in_text(steps) if cursor is None else self._in_json(cursor, forced, steps)
        if stand is None or len(stand.fitting) < 2:
            return None
        has_all = len(stand.fitting) == len(stand.members.values)
        return stand if has_all or _is_followed(stand, steps) else None

    def _in_text(self, steps: Sequence[Step]) -> Stand | None:
        members = self.at(())
        written = b"".join(step.spelling for step in steps)
        return None if members is None else Stand(members, "", b"", written)

    def _in_json(self, cursor: JsonCursor, forced: bytes, steps: Sequence[Step]) -> Stand | None:
        ahead = cursor
        if forced:
            ahead = cursor.copy()
            ahead.feed(forced)
        members = self.at(ahead.path)
        has_ended = ahead.n_written and not ahead.in_scalar
        if members is None or has_ended:
            return None
        if cursor.in_scalar and cursor.path == ahead.path:
            return Stand(members, ahead.pointer, b"", _end_of(steps, cursor.n_written))
        lead = forced[: len(forced) - ahead.n_written]
        return Stand(members, ahead.pointer, lead, b"")


def _end_of(steps: Sequence[Step], n_bytes: int) -> bytes:
    """Return the last bytes of the text of `steps`."""
    text = b""
    for step in reversed(steps):
        if len(text) >= n_bytes:
            break
        text = step.spelling + text
    return text[len(text) - n_bytes :]


def _is_followed(stand: Stand, steps: Sequence[Step]) -> bool:
    """Tell whether every token of the value so far was a fork, or forced."""
    n_left = len(stand.written)
    for step in reversed(steps):
        if n_left <= 0 or step.fork is not None:
            break
        if step.origin != "forced":
            return False
        n_left -= len(step.spelling)
    return True
