"""The key that a server wants: from the environment or the keyring, and shown to nobody else."""

from __future__ import annotations

import os
from importlib import import_module
from typing import NoReturn

from steer_engine.errors import ModelError

API_KEY = "STEERMAGIC_API_KEY"
"""The environment variable with the key for a server."""

OPENAI_HOST = "api.openai.com"
OPENAI_API_KEY = "OPENAI_API_KEY"
"""The one for `OPENAI_HOST`, which no other server is sent."""

_HIDDEN = "[key]"


class Key:
    """A key. Whatever shows the value of a variable shows that it is one, and not which."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Key(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not stored")

    @property
    def headers(self) -> dict[str, str]:
        """What is sent to the server."""
        return {"Authorization": f"Bearer {self._text}"}

    def hidden_in(self, text: str) -> str:
        """Return `text` without the key."""
        return text.replace(self._text, _HIDDEN)


def find_key(host: str) -> Key | None:
    """Return the key for the server `host`; None where there is none.

    The environment comes before the keyring, in which it is the password of user `host` for the
    service `steermagic`.

    Raises:
        ModelError: what is there cannot be a key.
    """
    names = (OPENAI_API_KEY, API_KEY) if host == OPENAI_HOST else (API_KEY,)
    for name in names:
        if text := os.environ.get(name, "").strip():
            return _key(text, place=name)
    text = _from_keyring(host)
    return _key(text, place="the keyring") if text else None


def _key(text: str, *, place: str) -> Key:
    if not (text.isascii() and text.isprintable()):
        raise ModelError(f"the key in {place} has characters that no key has; set it anew")
    return Key(text)


def _from_keyring(host: str) -> str:
    try:
        keyring = import_module("keyring")
    except ModuleNotFoundError:
        return ""
    try:
        return (keyring.get_password("steermagic", host) or "").strip()
    except keyring.errors.KeyringError:
        return ""  # it is locked or has no backend: a server that wants a key will say so
