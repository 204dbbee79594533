"""What draft 7 says of a string's content, as formats: later drafts only annotate it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping

from steer_engine.schema.document import JsonObject, JsonValue

_JSON = "application/json"
_BASE64 = "base64"
# The colon keeps these apart from formats that a schema may name.
_IN_JSON, _IN_BASE64, _BASE64_JSON = "content:json", "content:base64", "content:base64:json"


def format_of_content(schema: JsonObject) -> str | None:
    """Return the format that says what `contentEncoding` and `contentMediaType` say, if any does.

    Encodings and media types that are not known here stay annotations.
    """
    encoding, media_type = schema.get("contentEncoding"), schema.get("contentMediaType")
    if encoding == _BASE64:
        return _BASE64_JSON if media_type == _JSON else _IN_BASE64
    return _IN_JSON if media_type == _JSON and encoding is None else None


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_json(text: str | bytes) -> bool:
    try:
        _: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_encoded_json(text: str) -> bool:
    content = _decoded(text)
    return content is not None and _is_json(content)


CHECKS: Mapping[str, Callable[[str], bool]] = {
    _IN_BASE64: lambda text: _decoded(text) is not None,
    _IN_JSON: _is_json,
    _BASE64_JSON: _is_encoded_json,
}
