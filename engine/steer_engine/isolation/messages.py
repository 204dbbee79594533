"""What the two processes tell each other: a question ends with `Returned` or `Raised`.

Every message travels with the number of its question, so that what is late is known and dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from steer_engine.events import Event, Request


@dataclass(frozen=True, slots=True)
class Call:
    """To the child: call a method of the engine; ``"open"`` opens it."""

    method: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """To the child: run these requests; None means that it has to ask for them."""

    requests: tuple[Request, ...] | None


@dataclass(frozen=True, slots=True)
class More:
    """To the child: the next requests; none when there are no more."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Drop:
    """To the child: let go of the question. It is answered in any case, even if it has ended."""


@dataclass(frozen=True, slots=True)
class Happened:
    """From the child: events of the run."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """From the child: it needs the next requests, at most so many."""

    n_rows: int


@dataclass(frozen=True, slots=True)
class Returned:
    """From the child: a call or run has ended, or was dropped."""

    value: Any = None


@dataclass(frozen=True, slots=True)
class Raised:
    """From the child: a call or run has ended with an error."""

    error: BaseException


ToChild: TypeAlias = Call | Run | More | Drop
FromChild: TypeAlias = Happened | Wanted | Returned | Raised
Numbered: TypeAlias = tuple[int, FromChild]
