"""Why an exchange with a server failed, and what that means for the row that asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Literal, TypeAlias

from steer_engine.errors import (
    BackendError,
    PromptError,
    PromptTooLongError,
    ServerError,
    ServerLostError,
)
from steer_engine.remote.payloads import at, text_at
from steer_engine.schema import JsonValue

Kind: TypeAlias = Literal["passing", "unreachable", "barred", "refused", "too_long"]
"""`passing`: may work when asked again. `unreachable`: perhaps, too, but else nothing will work.
`barred`: nothing will. `refused`: this request will not. `too_long`: its prompt has no room."""

MANY_TRIES = 7
"""For a server that is there and busy, or that may come back."""

_PASSING = frozenset({408, 425, 429})
_NO_QUOTA = "insufficient_quota"
_CONTEXT = re.compile(
    r"context[_ ](?:length|size|window)|exceed_context|maximum context|context limit", re.IGNORECASE
)
_MAX_WORDS = 300  # characters


class Trouble(Exception):  # noqa: N818 - most of it is no error: the next try works
    """An exchange that failed. Stays inside this package; `error` is what others see.

    `named` is the part of the request that the server names as the cause, and `words` is what it
    says. It is not worth more than `n_tries`. Holds no request: that has the key in its headers.
    """

    def __init__(
        self,
        words: str,
        *,
        kind: Kind = "passing",
        status: int | None = None,
        named: str = "",
        retry_after_s: float | None = None,
        n_tries: int = 4,
    ) -> None:
        self._line = " ".join(words.split())
        self.words = _cut(self._line)
        super().__init__(self.words)
        self.kind = kind
        self.status = status
        self.named = named
        self.retry_after_s = retry_after_s
        self.n_tries = n_tries

    @property
    def may_pass(self) -> bool:
        """Whether it is worth asking again."""
        return self.kind in ("passing", "unreachable")

    def shown(self, hide: Callable[[str], str]) -> str:
        """Return the words without what `hide` takes out: they may repeat the key."""
        return _cut(hide(self._line))

    def error(self, hide: Callable[[str], str]) -> BackendError | PromptError:
        """Return it as an error that a row, or a run, fails with."""
        words = self.shown(hide)
        if self.kind == "too_long":
            return PromptTooLongError(
                f"the prompt is too long for the model's context: {words}; shorten the text"
                " or use a model with a longer context"
            )
        is_lasting = self.kind in ("unreachable", "barred")
        return (ServerLostError if is_lasting else ServerError)(words)


def _cut(line: str) -> str:
    return line if len(line) <= _MAX_WORDS else f"{line[: _MAX_WORDS - 1]}…"


def refusal(
    status: int,
    payload: JsonValue,
    text: str,
    headers: Mapping[str, str] | None = None,
    *,
    has_answered: bool = False,
) -> Trouble:
    """Return what a reply with an error `status` says; its body is `payload`, or just `text`.

    A server that `has_answered` takes the key: what it forbids then is this request alone.
    """
    words, named = complaint(payload)
    said = words or " ".join(text.split()) or "it gave no reason"
    kind = _kind(status, said, text)
    if status == 403 and kind == "barred" and has_answered:
        kind = "refused"
    if kind == "barred" and status in (401, 403):
        said = (
            f"the server refuses the key, or wants one ({status}: {said}); set the environment"
            " variable STEERMAGIC_API_KEY"
        )
    else:
        said = f"the server answers {status}: {said}"
    wait = _retry_after_s(headers or {})
    return Trouble(
        said, kind=kind, status=status, named=named, retry_after_s=wait, n_tries=MANY_TRIES
    )


def complaint(payload: JsonValue) -> tuple[str, str]:
    """Return what an error says, and the part of the request that it names; or nothing."""
    words = (
        text_at(payload, "error", "message")
        or text_at(payload, "error")
        or text_at(payload, "message")
        or text_at(payload, "detail")
    )
    if not words and (detail := at(payload, "detail")) is not None:
        words = str(detail)
    return words, text_at(payload, "error", "param") or text_at(payload, "param")


def _kind(status: int, words: str, text: str) -> Kind:
    if status == 429 and _NO_QUOTA in text:
        return "barred"
    if status in _PASSING:
        return "passing"
    # Some servers tell in an error of their own what was wrong with the prompt.
    if _CONTEXT.search(words) or _CONTEXT.search(text):
        return "too_long"
    if status >= 500:
        return "passing"
    return "barred" if status in (401, 403, 404) or status < 400 else "refused"


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return how long the server asks to be left alone; it gives seconds or a date."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    from datetime import UTC, datetime

    return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
