"""What a user calls a model on a server: `http://host:port#model`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeGuard
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from steer_engine.catalogue import is_url
from steer_engine.errors import ModelError

TIMEOUT_S = 300.0
"""How long a server may say nothing before it counts as gone."""

_FORM = "write http://host:port#model"
_OPTIONS = "?parallel=N (rows at a time) and ?timeout=SECONDS"


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and perhaps which of its models.

    `api` is what OpenAI's paths are added to, `root` what a server's own are. `n_parallel` None
    leaves it to the server how many requests it gets at a time.
    """

    api: str
    root: str
    host: str
    model: str | None = None
    n_parallel: int | None = None
    timeout_s: float = TIMEOUT_S

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:  # a name
            return self.host == "localhost"


def is_address(model: object) -> TypeGuard[str]:
    """Tell whether `model` names a server, and not a file."""
    return isinstance(model, str) and is_url(model)


def read_address(text: str) -> Address:
    """Return the address that `text` is.

    A path is taken as it is; without one, OpenAI's paths are under ``/v1``.

    Raises:
        ModelError: it cannot be read. What stands in it is not repeated: it may hold a secret.
    """
    import httpx

    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
        _ = httpx.URL(text.strip()).host  # what asks the server has to read it, too
    except (ValueError, httpx.InvalidURL):
        raise ModelError(f"the server's address cannot be read; {_FORM}") from None
    if not host:
        raise ModelError(f"the server's address has no host; {_FORM}")
    if "@" in parts.netloc:
        raise ModelError(
            "leave the user and password out of the server's address; a key goes into the"
            " environment variable STEERMAGIC_API_KEY"
        )
    shown = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme.lower()}://{shown}{'' if port is None else f':{port}'}"
    path = parts.path.rstrip("/") or "/v1"
    n_parallel, timeout_s = _read_options(parts)
    return Address(
        api=origin + path,
        root=origin + path.removesuffix("/v1"),
        host=host,
        model=unquote(parts.fragment) or None,
        n_parallel=n_parallel,
        timeout_s=timeout_s,
    )


def _read_options(parts: SplitResult) -> tuple[int | None, float]:
    """Return how many rows may be asked at a time, and how long is waited for an answer."""
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    parallel, timeout = given.pop("parallel", None), given.pop("timeout", None)
    if given:
        raise ModelError(
            f"the server's address has ?{next(iter(given))}=…; it may have {_OPTIONS},"
            " and a key goes into the environment variable STEERMAGIC_API_KEY"
        )
    if parallel is not None and not (parallel.isdecimal() and int(parallel) > 0):
        raise ModelError(f"?parallel= is a whole number of rows at a time, not {parallel!r}")
    return None if parallel is None else int(parallel), _seconds(timeout)


def _seconds(text: str | None) -> float:
    try:
        seconds = TIMEOUT_S if text is None else float(text)
    except ValueError:
        seconds = 0.0
    if not (math.isfinite(seconds) and seconds > 0):
        raise ModelError(f"?timeout= is a number of seconds, not {text!r}")
    return seconds
