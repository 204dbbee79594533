"""How sure the model was of each value: what it gave the tokens that it chose for it.

These are the model's probabilities, of tokens among those that the schema allowed. They are not the
probability that a value is right: how near the two are is a property of the model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from steer_engine.alternatives import Members, alternatives_of
from steer_engine.pointers import pointer_to
from steer_engine.schema import JsonValue, Schema
from steer_engine.schema.equality import canonical
from steer_engine.schema.places import Path
from steer_engine.steps import Fork, Step
from steer_engine.text_forms import TextForm


@dataclass(frozen=True, slots=True)
class Confidence:
    """How probable the model found what it wrote for one value: a scalar, an empty list or object.

    `pointer` is the value's JSON Pointer in the record. `mean` is the geometric mean, and `least`
    the smallest, of the probabilities that the tokens which the model chose for the value had among
    those that the schema allowed, at temperature 1; the token that ends the value is one of them,
    and so is a forced blank before it that might have been the token ` null`. Both are 1.0 where it
    chose none, for all were forced.

    `alternatives` are, for a value out of a set of at most 256 (an enum, a const, a boolean, null,
    or several of them), all its members with their probabilities, the most probable first: each is
    the sum over all ways to write it after what was written before. What they lack to 1 was less
    than a thousandth at a time, or was not resolved with a few questions to the model. There are
    none where the token before the value already ruled some of them out, or where the value is
    written in an unusual way.
    """

    pointer: str
    mean: float
    least: float
    alternatives: tuple[tuple[JsonValue, float], ...] = ()


@dataclass(slots=True)
class _Tokens:
    """What is known of the tokens of one value."""

    logprobs: list[float] = field(default_factory=list)
    forks: list[Fork] = field(default_factory=list)
    is_closed: bool = False


def confidence_of(
    asked: Schema | TextForm | None, record: JsonValue, steps: Sequence[Step]
) -> tuple[Confidence, ...]:
    """Return the confidence of each value of `record`, which `steps` wrote, in its order.

    A value that the model had no part in, because the answer was closed, has none. Nor has an empty
    list that one token began and ended with more, or text that nothing was asked of.
    """
    if asked is None:
        return ()
    tokens = _by_value(steps)
    alternatives = alternatives_of(asked)
    found = []
    for path, value in _leaves(record, ()):
        pointer = pointer_to("", *path)
        own = tokens.get(pointer, _Tokens())
        if isinstance(value, list):  # where it began, an item was still to come
            own.logprobs[:0] = tokens.get(pointer_to(pointer, 0), _Tokens()).logprobs
        if _has_chosen(own, value):
            members = None if alternatives is None else alternatives.at(path)
            found.append(_confidence(pointer, own, value, members))
    return tuple(found)


def _has_chosen(own: _Tokens, value: JsonValue) -> bool:
    """Tell whether `value` is the model's, and known by the tokens that are its `own`."""
    if isinstance(value, list | dict):
        return bool(own.logprobs) and not own.is_closed
    return bool(own.logprobs) or not own.is_closed  # without any it was forced


def _by_value(steps: Sequence[Step]) -> dict[str, _Tokens]:
    values: dict[str, _Tokens] = {}
    for step in steps:
        if step.is_thought:
            continue
        own = values.setdefault(step.pointer, _Tokens())
        own.is_closed |= step.origin == "closed"
        # A forced blank alone is a choice as well, if it is not that of the token ` null`.
        if step.origin != "closed" and step.masked_logprob is not None:
            own.logprobs.append(min(step.masked_logprob, 0.0))
        if step.fork is not None:
            values.setdefault(step.fork.pointer, _Tokens()).forks.append(step.fork)
    return values


def _leaves(value: JsonValue, path: Path) -> Iterator[tuple[Path, JsonValue]]:
    """Yield the scalars of a value, and its empty lists and objects."""
    if isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    elif isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, (*path, name))
    else:
        yield path, value


def _confidence(
    pointer: str, tokens: _Tokens, value: JsonValue, members: Members | None
) -> Confidence:
    logprobs = tokens.logprobs or [0.0]
    mean, least = math.exp(sum(logprobs) / len(logprobs)), math.exp(min(logprobs))
    alternatives = () if members is None else _alternatives(tokens, value, members)
    return Confidence(pointer, mean, least, alternatives)


def _alternatives(
    tokens: _Tokens, value: JsonValue, members: Members
) -> tuple[tuple[JsonValue, float], ...]:
    """Return the members with their probabilities; `value` is the one that was written."""
    if tokens.logprobs and not tokens.forks:
        return ()  # they were ruled out by a token that was no fork
    written = canonical(value)
    numbers = [n for n, member in enumerate(members.values) if canonical(member) == written]
    if tokens.forks and not any(_leads_to(tokens.forks[-1], number) for number in numbers):
        return ()  # it is not spelled as members are
    probs, reached = [0.0] * len(members.values), 1.0
    for fork in tokens.forks:
        for number, share in fork.shares:
            probs[number] += reached * share
        reached *= fork.undecided
    for number in numbers:
        probs[number] += reached  # what came then was forced
    pairs = zip(members.values, probs, strict=True)
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))


def _leads_to(fork: Fork, number: int) -> bool:
    """Tell whether the alternative `number` may be what the fork's own token led to."""
    return fork.undecided > 0 or any(number == other for other, _ in fork.shares)
