"""How many rows are decoded together, and the memory that is reserved for them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from steer_engine.backends import Backend
from steer_engine.errors import BackendError
from steer_engine.vocabulary import TokenId
from steer_engine.waiting import Queue, Said

_MIN_SHARED = 16  # tokens; forking fewer saves nothing
_TYPICAL_ANSWER = 64  # tokens; most answers end long before their budget


@dataclass(frozen=True, slots=True)
class Room:
    """The memory that rows are decoded in: its slots, and its tokens beside the `shared` ones.

    A row may have `n_each` tokens, the shared ones among them.
    """

    n_slots: int
    n_tokens: int
    n_each: int
    shared: Sequence[TokenId]

    def is_faster_than(self, other: Room) -> bool:
        """Tell whether rows run so much faster here that they may wait for the others to end."""
        is_wider = 2 * self.n_slots >= 3 * other.n_slots
        return is_wider or len(self.shared) >= 2 * len(other.shared) + _MIN_SHARED


def make_room(backend: Backend, queue: Queue) -> Generator[Said, None, Room | None]:
    """Reserve memory for the rows that wait.

    Rows that fit in no memory fail and are taken out of the queue; None is left for nobody.
    """
    while queue.waiting:
        room = best_room(backend, queue)
        n_shared = len(room.shared)
        while True:
            try:
                backend.reserve(
                    n_slots=room.n_slots + bool(n_shared),
                    n_tokens=n_shared + room.n_tokens,
                    n_each=room.n_each,
                )
            except BackendError as error:
                n_least = room.n_each - n_shared
                if room.n_tokens > n_least:
                    room = replace(room, n_tokens=max(n_least, room.n_tokens // 2))
                    continue
                longest = max(queue.waiting, key=lambda task: task.n_tokens)
                queue.waiting.remove(longest)
                yield Said(longest.row, error)
                break
            return room
    return None


def best_room(backend: Backend, queue: Queue) -> Room:
    """Return room for as many rows as there is memory for, or as run fastest together.

    Of rows that are still to come it is thought that they are like those that wait.
    """
    waiting = queue.waiting
    shared = shared_prefix([task.prompt for task in waiting])
    needs = sorted((task.n_tokens - len(shared) for task in waiting), reverse=True)
    n_read = sum(len(task.prompt) - len(shared) for task in waiting) // len(waiting)
    n_each = len(shared) + needs[0]
    n_best = backend.best_slots(
        n_read=n_read, n_written=_TYPICAL_ANSWER, n_each=n_each, n_shared=len(shared)
    )
    if not queue.is_at_end:
        needs += [needs[len(needs) // 2]] * (queue.max_slots - len(needs))
    n_slots = min(len(needs), queue.max_slots, n_best)
    n_tokens = max(needs[0], min(sum(needs[:n_slots]), backend.max_cached_tokens - len(shared)))
    return Room(n_slots, n_tokens, n_each, shared)


def shared_prefix(prompts: Sequence[Sequence[TokenId]]) -> Sequence[TokenId]:
    """Return what all of several prompts begin with, less the last token; empty if it is short."""
    if len(prompts) < 2:
        return []
    first, last = min(prompts, key=list), max(prompts, key=list)  # all others lie between
    shared = first[: min(n_common(first, last), len(first) - 1, len(last) - 1)]
    return shared if len(shared) >= _MIN_SHARED else []


def n_common(left: Sequence[TokenId], right: Sequence[TokenId]) -> int:
    """Return how many tokens both begin with."""
    equal = takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))
    return sum(1 for _ in equal)
