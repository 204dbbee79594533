"""HTTP with one server: requests go out, JSON comes in, and what goes wrong is a `Trouble`."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from steer_engine.errors import environment_error
from steer_engine.remote.address import Address
from steer_engine.remote.credentials import Key
from steer_engine.remote.troubles import MANY_TRIES, Kind, Trouble, refusal
from steer_engine.schema import JsonObject, JsonValue

if TYPE_CHECKING:
    import httpx

CONNECT_S = 10.0
MAX_BYTES = 32 * 2**20
"""The longest reply that is read; with its log-probabilities a token takes some 600 bytes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The body of a reply and its headers, whose names are in lower case."""

    payload: JsonValue
    headers: dict[str, str]


class Client:
    """Asks one server. Redirects are not followed: the key is for this server alone.

    Its methods raise `Trouble`. To be used in one event loop.
    """

    def __init__(self, address: Address, key: Key | None) -> None:
        """Connect to nothing yet.

        Raises:
            ModelError: the environment names proxies or certificates that cannot be used.
        """
        import httpx

        is_plain = address.is_loopback and address.api.startswith("http://")
        self._key = key
        self._timeout_s = address.timeout_s
        self._has_answered = False
        # Raised outside of the handler: what httpx was doing has the key.
        problem = None
        try:
            self._http = httpx.AsyncClient(
                headers={} if key is None else key.headers,
                timeout=httpx.Timeout(address.timeout_s, connect=CONNECT_S, pool=None),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
                trust_env=not address.is_loopback,  # a proxy cannot reach this machine
                verify=not is_plain,  # to read certificates takes 50 ms, and there are none
            )
        except httpx.InvalidURL:
            problem = "a proxy's address cannot be read"  # its words may hold a password
        except (ImportError, ValueError, OSError) as error:
            problem = str(error)
        if problem is not None:
            raise environment_error(problem)

    async def get(self, url: str) -> Reply:
        """Return what stands at `url`."""
        async with self._exchange("GET", url) as response:
            return Reply(self._json(await self._whole(response)), dict(response.headers))

    async def post(self, url: str, body: JsonObject) -> JsonValue:
        """Send `body` and return the reply."""
        async with self._exchange("POST", url, body) as response:
            return self._json(await self._whole(response))

    async def stream(self, url: str, body: JsonObject) -> AsyncGenerator[JsonValue, None]:
        """Send `body` and yield the parts of the reply as they come: events, lines, or all."""
        async with self._exchange("POST", url, body) as response:
            async for data in self._payloads(response):
                payload = self._json(data)
                self._has_answered = True
                yield payload

    def without_key(self, text: str) -> str:
        """Return `text`, which is to be shown: some servers repeat the key in their errors."""
        return text if self._key is None else self._key.hidden_in(text)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @asynccontextmanager
    async def _exchange(
        self, method: str, url: str, body: JsonObject | None = None
    ) -> AsyncIterator[httpx.Response]:
        import httpx

        # Raised outside of the handler: an error of httpx has the request, and that has the key.
        trouble: Trouble | None = None
        try:
            async with self._http.stream(method, url, json=body) as response:
                if response.is_success:
                    yield response
                else:
                    trouble = await self._refusal(response)
        except httpx.ConnectError as error:
            trouble = _unreachable(f"nothing answers at {_origin(url)} ({error})")
        except httpx.ConnectTimeout:
            trouble = _unreachable(f"{_origin(url)} cannot be reached")
        except httpx.TimeoutException:
            words = f"the server said nothing for {self._timeout_s:g} seconds"
            words += "; ?timeout=SECONDS behind its address waits longer"
            # One that has not answered may be loading its model.
            kind: Kind = "passing" if self._has_answered else "unreachable"
            trouble = Trouble(words, kind=kind, n_tries=2 if self._has_answered else 4)
        except httpx.HTTPError as error:
            trouble = Trouble(f"the connection to the server broke ({error})")
        if trouble is not None:
            raise trouble

    async def _refusal(self, response: httpx.Response) -> Trouble:
        if response.is_redirect:
            target = self.without_key(response.headers.get("location", ""))
            return Trouble(
                f"the server redirects to {_host(target)}, which is not followed",
                kind="barred",
            )
        data = await self._whole(response)
        text = data.decode("utf-8", "replace")
        try:
            payload = self._json(data)
        except Trouble:
            payload = None
        return refusal(
            response.status_code,
            payload,
            text,
            response.headers,
            has_answered=self._has_answered,
        )

    async def _payloads(self, response: httpx.Response) -> AsyncIterator[bytes]:
        kind = response.headers.get("content-type", "")
        if "event-stream" in kind:
            async for line in self._lines(response):
                name, _, data = line.partition(b":")
                if name == b"data" and data.strip() not in (b"", b"[DONE]"):
                    yield data
        elif "ndjson" in kind:
            async for line in self._lines(response):
                yield line
        else:
            yield await self._whole(response)

    async def _whole(self, response: httpx.Response) -> bytes:
        return b"".join([part async for part in self._parts(response)])

    async def _lines(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """Yield the lines that hold something; httpx would also split at U+2028, inside of JSON."""
        rest = b""
        async for part in self._parts(response):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if line.strip():
                    yield line
        if rest.strip():
            yield rest

    async def _parts(self, response: httpx.Response) -> AsyncIterator[bytes]:
        n_bytes = 0
        async for part in response.aiter_bytes():
            n_bytes += len(part)
            if n_bytes > MAX_BYTES:
                raise Trouble(f"the reply is longer than {MAX_BYTES >> 20} MiB", kind="refused")
            yield part

    def _json(self, data: bytes) -> JsonValue:
        try:
            value: JsonValue = json.loads(data)
        except (ValueError, RecursionError):
            shown = self.without_key(data.decode("utf-8", "replace"))[:80]
            raise Trouble(f"the server's reply is not JSON: {shown!r}") from None
        return value


def _unreachable(words: str) -> Trouble:
    return Trouble(words, kind="unreachable", n_tries=MANY_TRIES)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "another address"
    except ValueError:
        return "what is no address"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
