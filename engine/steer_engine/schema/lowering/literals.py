"""Values that a schema lists, as the mask compiler takes them."""

from __future__ import annotations

import re
from decimal import Decimal

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue, dump
from steer_engine.schema.equality import exact
from steer_engine.schema.lowering.deciding import holds
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.reading import MAX_NUMBER, is_long, type_of

_MAX_PLACES = 308  # behind the point; for more of them it rounds more often
_MAX_LISTED = 20_000
_MAX_SIZE = 2_000  # parts of one value
_MAX_STARTS = 2_000

_NUL = "\0"  # many programs take it for the end of a text


def written_literals(facts: Facts, values: list[JsonValue]) -> list[JsonSchema]:
    """Return what allows those of `values` that satisfy `facts` and that the mask can write.

    Long numbers, which only `lark` writes, are listed apart.
    """
    kept = [plain(value) for value in values if _is_allowed(facts, value)]
    is_held = [_size(value) <= _MAX_SIZE and _is_held_exactly(value) for value in kept]
    exact = [value for value, is_exact in zip(kept, is_held, strict=True) if is_exact]
    inexact = [value for value, is_exact in zip(kept, is_held, strict=True) if not is_exact]
    long = [value for value in inexact if is_long(value)]
    if len(long) > _MAX_LISTED:
        long = []
    rough = {_type_name(value) for value in inexact if not long or not is_long(value)}
    if rough or len(exact) > _MAX_LISTED:
        for schema, keyword in _said(facts):
            facts.analysis.note(schema, keyword, "the mask cannot hold all its values")
    if not kept:
        facts.contradict(*_said(facts)[0])
    found: list[JsonSchema] = [{"type": name} for name in sorted(rough)]
    if long:
        found.append({"enum": long})
    if len(exact) > _MAX_LISTED:
        texts = [each for each in exact if isinstance(each, str)]
        others = [each for each in exact if not isinstance(each, str)]
        exact = list[JsonValue](others[:_MAX_LISTED])
        found.append({"type": "string", "pattern": _starts(texts)})
    return [*found, {"enum": exact}] if exact else found


def plain(value: JsonValue) -> JsonValue:
    """Return `value` with whole numbers in their plainest spelling."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return int(exact(value)) if isinstance(value, float) and value.is_integer() else value


def spelled(value: JsonValue) -> str:
    """Return the text in which the mask writes a scalar that the schema lists."""
    if isinstance(value, float):
        number = exact(value)
        return str(int(number)) if number == int(number) else f"{number:f}"  # without exponents
    return dump(value).replace("\x7f", "\\u007f")


def _said(facts: Facts) -> list[tuple[JsonObject, str]]:
    return [(s, keyword) for keyword in ("const", "enum") for _, s in facts.said.get(keyword, ())]


def _is_allowed(facts: Facts, value: JsonValue) -> bool:
    """Tell whether a value satisfies `facts` and can be written."""
    if not _is_valid(facts, value):
        return False
    is_writable = _can_be_written(value)
    for schema, keyword in () if is_writable else _said(facts):
        facts.analysis.note_unwritable(schema, keyword)
    return is_writable


def _is_valid(facts: Facts, value: JsonValue) -> bool:
    if set(facts.said) <= {"const", "enum"} and not (
        facts.parts or facts.required or facts.evaluated
    ):
        return True
    for claim in facts.claims:
        verdict = holds(facts.analysis, claim, value)
        if verdict is False:
            return False
        if verdict is None and isinstance(claim, dict):
            facts.analysis.note_whole(claim, "it cannot be told beforehand")
    return True


def _can_be_written(value: JsonValue) -> bool:
    if isinstance(value, list):
        return all(map(_can_be_written, value))
    if isinstance(value, dict):
        return all(_can_be_written(key) and _can_be_written(item) for key, item in value.items())
    return not isinstance(value, str) or _NUL not in value


def _is_held_exactly(value: JsonValue) -> bool:
    if isinstance(value, list):
        return all(map(_is_held_exactly, value))
    if isinstance(value, dict):
        return all(map(_is_held_exactly, value.values()))
    if isinstance(value, float):
        return _is_read_exactly(value)
    return not isinstance(value, int) or (abs(value) <= MAX_NUMBER and not is_long(value))


def _is_read_exactly(number: float) -> bool:
    """Tell whether the mask compiler, which rounds its digits first, then the result, reads it."""
    fraction = Decimal(repr(abs(number)))
    n_places = -int(fraction.as_tuple().exponent)
    if not 0 <= n_places <= _MAX_PLACES:
        return False
    digits, unit = float(fraction.scaleb(n_places)), float(f"1e{n_places}")
    return digits / unit == abs(number)


def _size(value: JsonValue) -> int:
    """Return of how many values a value consists."""
    if isinstance(value, list):
        return 1 + sum(map(_size, value))
    return 1 + sum(map(_size, value.values())) if isinstance(value, dict) else 1


def _type_name(value: JsonValue) -> str:
    kind = type_of(value)
    return "number" if kind == "fraction" else kind


def _starts(texts: list[str]) -> str:
    """Return a pattern for how `texts` start, as far as few enough starts tell them apart."""
    starts = {""}
    for length in range(1, 64):
        longer = {text[:length] for text in texts}
        if len(longer) > _MAX_STARTS:
            break
        starts = longer
    return f"^(?:{'|'.join(re.escape(each) for each in sorted(starts))})"
