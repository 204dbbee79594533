"""One model of one server, and what has been learnt of how to ask it."""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from steer_engine.remote.address import Address
from steer_engine.remote.client import Client
from steer_engine.remote.discovery import Served
from steer_engine.remote.offers import UNHELD, Kind, Offer, kind_of, offers, wrapped_offers
from steer_engine.remote.probing import find_manner, find_way
from steer_engine.remote.questions import NARROWING, SAMPLED, Manner, Question, spared
from steer_engine.remote.replies import Piece
from steer_engine.remote.troubles import Trouble
from steer_engine.remote.ways import Way
from steer_engine.schema import Schema
from steer_engine.text_forms import TextForm


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a row is asked again when its answer is not valid, and how long it waits.

    The waits after an exchange that failed double from `first_wait_s` on, and are at most
    `longest_wait_s`, also where the server asks for more.
    """

    n_answers: int = 3
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0

    def wait_s(self, attempt: int, asked_for_s: float | None) -> float:
        """Return how long to wait after the exchange `attempt`, which count from 0."""
        own = self.first_wait_s * 2.0**attempt
        return min(max(own, asked_for_s or 0.0), self.longest_wait_s)


_OF_FORM = re.compile(r"schema|grammar|format|pattern|regex|structured", re.IGNORECASE)
"""What a refusal speaks of that is about what the answer is held to."""


class Server:
    """A model that answers over HTTP. To be used in the client's event loop."""

    def __init__(self, client: Client, address: Address, served: Served) -> None:
        self._client, self._address, self._served = client, address, served
        self.without_key = client.without_key
        self._manner: Manner | None = None  # before the first answer
        self._ways: dict[Kind, Way | None] = {}
        self._offers: dict[Schema | TextForm | None, list[Offer]] = {}
        self._learning = asyncio.Lock()
        self._trouble: Trouble | None = None  # the last of the lessons that failed
        self._notes: list[str] = []

    @property
    def manner(self) -> Manner:
        """How the server is asked, as far as that is known."""
        return self._manner or Manner()

    async def offer(self, asked: Schema | TextForm | None) -> Offer:
        """Return how the server is told of `asked`. The first call tries out what it takes.

        Raises:
            Trouble: it does not answer.
        """
        before = self._trouble
        async with self._learning:
            if asked not in self._offers:
                if self._trouble is not None and self._trouble is not before:
                    # What a row waited for has failed for all who did. Its traceback holds them.
                    raise copy.copy(self._trouble)
                try:
                    self._offers[asked] = await self._find_offers(asked)
                except Trouble as trouble:
                    self._trouble = copy.copy(trouble)
                    raise
        return self._offers[asked][0]

    def spare(self, manner: Manner, trouble: Trouble) -> bool:
        """Tell whether a request, refused in `manner`, may do without what no probe has tried."""
        better = spared(manner, trouble, NARROWING)
        if better is None:
            return False
        # Other rows may have learnt something by now.
        known = self.manner
        self._learn(replace(known, left_out=known.left_out | better.left_out))
        return True

    def give_up(self, asked: Schema | TextForm | None, offer: Offer, trouble: Trouble) -> bool:
        """Tell whether there is something else to be tried than `offer`, which was refused."""
        left = self._offers.get(asked, [UNHELD])
        if left[0] is not offer:
            return True  # another row was quicker
        if len(left) == 1 or not _OF_FORM.search(trouble.words):
            return False
        del left[0]
        if left[0] is UNHELD:
            words = trouble.shown(self.without_key)
            self._notes.append(
                f"{self._name} refuses this schema ({words}); answers are checked here,"
                " and asked for again where they are not valid"
            )
        return True

    async def ask(self, question: Question) -> AsyncGenerator[Piece, None]:
        """Yield the answer as it comes.

        Raises:
            Trouble: the exchange failed.
        """
        async for piece in self._ask(question, self.manner):
            yield piece

    def new_notes(self) -> list[str]:
        """Return what the user should know, each note once."""
        notes, self._notes = self._notes, []
        return notes

    async def _ask(self, question: Question, manner: Manner) -> AsyncGenerator[Piece, None]:
        profile, model = self._served.profile, self._served.model
        body = {
            **profile.defaults,
            **profile.wire.body(model, question, manner),
            **({} if question.thinks else profile.thoughtless),
            **question.form,
        }
        url = profile.wire.url(self._address)
        async for payload in self._client.stream(url, manner.without(body)):
            yield profile.wire.read(payload)

    async def _find_offers(self, asked: Schema | TextForm | None) -> list[Offer]:
        if asked is None:
            if self._manner is None:
                self._learn(await find_manner(self._ask, Manner()))
            return [UNHELD]
        found = await self._held_offers(asked)
        if not found:
            self._notes.append(
                f"{self._name} does not hold answers to {kind_of(asked)}; they are checked here,"
                f" and asked for again where they are not valid ({self._served.profile.remedy})"
            )
        return [*found, UNHELD]

    async def _held_offers(self, asked: Schema | TextForm) -> list[Offer]:
        is_strict = self._served.profile.is_strict
        way = await self._way(kind_of(asked))
        if way is not None:
            return list(offers(asked, way, is_strict=is_strict))
        if isinstance(asked, Schema) or (way := await self._way("a schema")) is None:
            return []
        return list(wrapped_offers(asked, way))

    async def _way(self, kind: Kind) -> Way | None:
        if kind not in self._ways:
            ways = self._served.profile.ways
            way, manner = await find_way(self._ask, ways, kind, self.manner)
            if way is None:
                manner = await find_manner(self._ask, manner)
            self._learn(manner)
            self._ways[kind] = way
        return self._ways[kind]

    def _learn(self, manner: Manner) -> None:
        refused = [name for name in SAMPLED if name in manner.left_out - self.manner.left_out]
        if refused:
            self._notes.append(
                f"{self._name} takes no {' and no '.join(refused)}; it samples in its own way"
            )
        self._manner = manner

    @property
    def _name(self) -> str:
        return f"{self._served.profile.name} at {self._address.root}"
