"""What a schema tells about texts that its values are likely to need."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from steer_engine.schema.document import JsonObject, Schema, walk
from steer_engine.schema.patterns.examples import example

_MAX_LENGTH = 100  # characters
_FORMATS = {
    "date": "2000-01-01",
    "date-time": "2000-01-01T00:00:00Z",
    "duration": "P1D",
    "email": "a@a.aa",
    "hostname": "a",
    "idn-email": "a@a.aa",
    "idn-hostname": "a",
    "ipv4": "1.1.1.1",
    "ipv6": "::",
    "iri": "a:",
    "relative-json-pointer": "0",
    "time": "00:00:00Z",
    "uri": "a:",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
# Letters and signs that a pattern takes as they are; escaped signs stand for themselves.
_LITERAL = re.compile(r"(?:[A-Za-z0-9 _@:/<>#%&=,;~'\"!-]|\\[^A-Za-z0-9])+")


class Hints:
    """Texts that are likely to be needed: names of required properties, examples of strings."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        spelled = (
            json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "replace") for text in texts
        )
        self._beginnings = {text[:end] for text in spelled for end in range(1, len(text) + 1)}

    def go_on(self, text: bytes) -> bool:
        """Tell whether one of the texts, as JSON spells it, begins with `text`."""
        return text in self._beginnings


NO_HINTS = Hints()


@lru_cache(maxsize=64)
def hints_of(schema: Schema) -> Hints:
    """Return the hints that `schema` gives."""
    texts = dict.fromkeys(
        text for _, node in walk(schema.document) if isinstance(node, dict) for text in _texts(node)
    )
    return Hints(text for text in texts if len(text) <= _MAX_LENGTH)


def _texts(node: JsonObject) -> Iterator[str]:
    dependent, examples = node.get("dependentRequired"), node.get("examples")
    lists = [
        node.get("required"),
        examples if isinstance(examples, list) else [],
        [node.get("default")],
    ]
    lists += dependent.values() if isinstance(dependent, dict) else []
    for values in lists:
        yield from (
            (value for value in values if isinstance(value, str))
            if isinstance(values, list)
            else ()
        )
    of_format = _FORMATS.get(str(node.get("format")), "")
    yield of_format
    keys, pattern = node.get("patternProperties"), node.get("pattern")
    if of_format and isinstance(pattern, str) and (of_pattern := example(pattern)):
        yield of_format.partition(of_pattern[0])[0] + of_pattern
    for each in [pattern, *(keys if isinstance(keys, dict) else ())]:
        yield from _of_pattern(each) if isinstance(each, str) else ()


def _of_pattern(pattern: str) -> Iterator[str]:
    yield example(pattern) or ""
    for literal in _LITERAL.findall(pattern):
        yield re.sub(r"\\(.)", r"\1", literal)
