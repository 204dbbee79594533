"""The keywords of strings, as the mask compiler takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from steer_engine.schema.document import JsonObject
from steer_engine.schema.formats import FORMATS
from steer_engine.schema.lowering.contradictions import bounds
from steer_engine.schema.lowering.detail import Detail
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.formats import masked_format

_MAX_LENGTH = 64
_MAX_COUNT = 16
_COUNTS = re.compile(r"(?<=[{,])[0-9]{1,6}(?=[},])")


def string_keywords(facts: Facts) -> JsonObject:
    """Return what the mask can say of strings; the rest is noted as not exact."""
    least, most = _lengths(facts)
    kept: JsonObject = {"minLength": least} if least else {}
    if most is not None:
        kept["maxLength"] = most
    patterns = dict.fromkeys(_patterns(facts))
    for name in dict.fromkeys(str(name) for name, _ in facts.said.get("format", ())):
        if name in FORMATS:
            patterns |= dict.fromkeys(_format(facts, name))
    if facts.analysis.detail < Detail.FULL and len(patterns) + len(kept) > 1:
        for keyword in ("minLength", "maxLength", "pattern", "format"):
            _note(facts, keyword, "the mask compiler cannot hold it beside the others")
        kept = {} if patterns else kept
        patterns = dict.fromkeys(list(patterns)[:1])
    if len(patterns) == 1:
        kept["pattern"] = next(iter(patterns))
    elif patterns:
        kept["allOf"] = [{"pattern": pattern} for pattern in patterns]
    return kept


def _lengths(facts: Facts) -> tuple[int, int | None]:
    least, most = bounds(facts, "Length")
    if max(least, most or 0) <= _MAX_LENGTH or not _has_many_states(facts):
        return least, most
    for keyword in ("minLength", "maxLength"):
        _note(facts, keyword, "its states multiply with those of the pattern")
    return min(least, 1), None


def _format(facts: Facts, name: str) -> tuple[str, ...]:
    patterns, is_exact = masked_format(name)
    if facts.analysis.detail < Detail.ONE_PATTERN:
        patterns, is_exact = (), False
    if not is_exact:
        _note(facts, "format", "the mask knows it only roughly")
    return patterns


def _has_many_states(facts: Facts) -> bool:
    """Tell whether a pattern counts far, or stands beside a format, whose parts are counted."""
    formats = [name for name, _ in facts.said.get("format", ()) if name in FORMATS]
    if formats and "pattern" in facts.said:
        return True
    counts = [
        int(number)
        for value, _ in facts.said.get("pattern", ())
        for number in _COUNTS.findall(str(value))
    ]
    return max(counts, default=0) >= _MAX_COUNT


def _patterns(facts: Facts) -> Iterator[str]:
    for value, schema in facts.said.get("pattern", ()):
        text, is_exact = facts.analysis.masked_pattern(str(value))
        if not is_exact:
            facts.analysis.note(schema, "pattern", "the mask knows it only roughly")
        if text:
            yield text


def _note(facts: Facts, keyword: str, reason: str) -> None:
    for _, schema in facts.said.get(keyword, ()):
        facts.analysis.note(schema, keyword, reason)
