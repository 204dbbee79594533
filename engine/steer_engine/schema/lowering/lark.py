"""A mask as a Lark grammar: for objects whose keys come in any order, and for long numbers.

llguidance's parametric rules carry a set of bits. Here it says which of the listed keys have been
written, and how many others. In JSON Schema llguidance reads all numbers as floats.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue, children, dump, walk
from steer_engine.schema.lowering.excluding import other_than
from steer_engine.schema.lowering.reading import (
    as_schema,
    count_of,
    has_long,
    literals_in,
    schemas_by_name,
    schemas_in,
    texts_in,
)

ANY_ORDER = "x-any-order"
"""The keyword that a mask puts on an object whose keys may come in any order."""

MAX_UNORDERED = 56
"""How many listed keys such an object can have."""

MAX_OTHERS = 100
"""As far as such an object's other keys are counted."""

_REFERENCE = "#/$defs/"
_OTHERS = "[56:63]"  # the bits that count keys which are not listed
_ARRAY = frozenset({"items", "maxItems", "minItems", "prefixItems"})
_OBJECT = frozenset(
    {
        ANY_ORDER,
        "additionalProperties",
        "maxProperties",
        "minProperties",
        "patternProperties",
        "properties",
        "required",
    }
)
_TYPES = ("array", "boolean", "null", "number", "object", "string")


def is_for_lark(masked: JsonObject) -> bool:
    """Tell whether a mask must be written in Lark."""
    return any(isinstance(each, dict) and _says_more(each) for _, each in walk(masked))


def written_in_lark(masked: JsonObject, options: Mapping[str, JsonValue]) -> str:
    """Return a mask as a Lark grammar.

    `options` are the mask compiler's for JSON; their separators must be plain texts.
    """
    return _Lark(masked, options).text()


class _Lark:
    """Writes the rules of one mask."""

    def __init__(self, masked: JsonObject, options: Mapping[str, JsonValue]) -> None:
        self._definitions = schemas_by_name(masked.get("$defs"))
        self._root: JsonObject = {key: each for key, each in masked.items() if key != "$defs"}
        self._options = dict(options)
        self._comma = _literal(str(options["item_separator"]))
        self._colon = _literal(str(options["key_separator"]))
        self._rules: list[str] = []
        self._n_names = 0
        self._unordered = self._definitions_in_any_order()

    def text(self) -> str:
        start = self._value(self._root)
        for name in sorted(self._unordered):
            self._rule(f"d_{name}", self._value(self._definitions[name]))
        return "\n".join([f"start: {start}", *self._rules]) + "\n"

    def _definitions_in_any_order(self) -> set[str]:
        found: set[str] = set()
        while True:
            self._unordered = found
            new = {name for name, each in self._definitions.items() if self._is_for_lark(each)}
            if new == found:
                return found
            found = new

    def _is_for_lark(self, schema: JsonSchema) -> bool:
        if isinstance(schema, bool):
            return False
        if "$ref" in schema:
            return str(schema["$ref"]).removeprefix(_REFERENCE) in self._unordered
        return _says_more(schema) or any(self._is_for_lark(each) for _, each in children(schema))

    def _value(self, schema: JsonSchema) -> str:
        """Return the name of a rule for the values that a schema allows."""
        if isinstance(schema, bool) or not self._is_for_lark(schema):
            return self._json(schema)
        if "$ref" in schema:
            return "d_" + str(schema["$ref"]).removeprefix(_REFERENCE)
        if "anyOf" in schema:
            return self._rule("", " | ".join(map(self._value, schemas_in(schema["anyOf"]))))
        if has_long(schema):  # an `enum` of nothing else: a mask has no `const`
            spelled = "|".join(map(dump, literals_in(schema, "enum")))
            return self._rule("", f"/(?:{spelled})/")  # many literals would make each mask slow
        return self._rule("", " | ".join(self._by_type(schema)))

    def _by_type(self, schema: JsonObject) -> Iterator[str]:
        said = schema.get("type", list[JsonValue](_TYPES))
        types = [said] if isinstance(said, str) else texts_in(said)
        parts = {"array": (_ARRAY, self._array), "object": (_OBJECT, self._object)}
        for kind, (keywords, write) in parts.items():
            part: JsonObject = {key: each for key, each in schema.items() if key in keywords}
            if kind in types and self._is_for_lark(part):
                types.remove(kind)
                schema = {key: each for key, each in schema.items() if key not in keywords}
                yield write(part)
        if types:
            yield self._json({**schema, "type": list[JsonValue](types)})

    def _json(self, schema: JsonSchema) -> str:
        written: JsonObject = {"not": {}} if schema is False else {}
        written |= schema if isinstance(schema, dict) else {}
        if "$ref" in dump(written):
            written["$defs"] = {
                name: each
                for name, each in self._definitions.items()
                if name not in self._unordered
            }
        return self._rule("", f"%json {json.dumps({**written, 'x-guidance': self._options})}")

    def _array(self, schema: JsonObject) -> str:
        items = schemas_in(schema.get("prefixItems"))
        rest = as_schema(schema.get("items", True))
        least, most = count_of(schema.get("minItems", 0)), schema.get("maxItems")
        n_last = len(items) if most is None else count_of(most)
        if rest is not False and (most is None or n_last > len(items)):
            value = self._value(rest)
            n_most = None if most is None else n_last - len(items)
            tail = self._several(value, max(1, least - len(items)), n_most)
            is_needed = least > len(items)
        else:
            tail, is_needed = "", False
        for index in range(min(len(items), n_last) - 1, -1, -1):
            if tail:
                tail = f"{self._comma} {tail}" if is_needed else f"({self._comma} {tail})?"
            tail = f"{self._value(items[index])} {tail}"
            is_needed = least > index
        inside = tail if is_needed or not tail else f"({tail})?"
        return self._rule("", f'"[" {inside} "]"')

    def _object(self, schema: JsonObject) -> str:
        required = set(texts_in(schema.get("required")))
        fields = [
            (name, self._field(name, each))
            for name, each in schemas_by_name(schema.get("properties")).items()
            if each is not False
        ]
        others = self._others(schema)
        least = max(0, count_of(schema.get("minProperties", 0)) - len(required))
        most = schema.get("maxProperties")
        n_most = None if most is None else count_of(most) - len(required)
        write = self._in_any_order if fields and ANY_ORDER in schema else self._in_order
        return write(fields, required, others, least, n_most)

    def _field(self, name: str, schema: JsonSchema) -> str:
        # Apart from its colon, so that it is as long as another key of the same letters.
        return f"{_literal(dump(name))} {self._colon} {self._value(schema)}"

    def _others(self, schema: JsonObject) -> list[str]:
        """Return rules for a key that is not listed, with its value."""
        names = schemas_by_name(schema.get("properties"))
        found: list[str] = []
        for pattern, each in schemas_by_name(schema.get("patternProperties")).items():
            if each is not False:
                found.append(self._other({"type": "string", "pattern": pattern}, each))
        rest = as_schema(schema.get("additionalProperties", True))
        if rest is not False:
            key: JsonObject = {"type": "string", "pattern": f"^{other_than(names)}$"}
            found.append(self._other(key if names else {"type": "string"}, rest))
        return found

    def _other(self, key: JsonObject, schema: JsonSchema) -> str:
        return f"{self._json(key)} {self._colon} {self._value(schema)}"

    def _in_any_order(
        self,
        fields: Sequence[tuple[str, str]],
        required: set[str],
        others: Sequence[str],
        least: int,
        most: int | None,
    ) -> str:
        first, later = self._name(), self._name()
        fields = sorted(fields, key=lambda field: field[0] not in required)
        is_counted = least > 0 or most is not None
        ends = [f"is_ones([0:{len(required)}])"] if required else []
        ends += [f"ge({_OTHERS}, {least})"] if least else []
        steps = [
            (written, f"{later}::set_bit({bit})", f"bit_clear({bit})")
            for bit, (_, written) in enumerate(fields)
        ]
        room = "" if most is None else f"lt({_OTHERS}, {most})"
        after = f"{later}::incr({_OTHERS})" if is_counted else f"{later}::_"
        steps += [(written, after, room) for written in others if most != 0]
        end = _alternative('"}"', *_both(ends))
        for name, before in ((first, ""), (later, f"{self._comma} ")):
            ways = [
                _alternative(f"{before}{written} {after}", *_both([when]))
                for written, after, when in steps
            ]
            self._rules.append(f"{name}::_: " + "\n  | ".join([end, *ways]))
        return self._rule("", f'"{{" {first}::0x0')

    def _in_order(
        self,
        fields: Sequence[tuple[str, str]],
        required: set[str],
        others: Sequence[str],
        least: int,
        most: int | None,
    ) -> str:
        first, later = '"}"', '"}"'
        if others and most != 0:
            other = self._rule("", " | ".join(others))
            some = f"{self._several(other, max(1, least), most)} {first}"
            first = self._rule("", some if least else f"{some} | {first}")
            later = self._rule("", f"{self._comma} {some}" + ("" if least else f" | {later}"))
        for name, written in reversed(fields):
            is_needed = name in required
            here = f"{written} {later}"
            first = self._rule("", here if is_needed else f"{here} | {first}")
            later = self._rule("", f"{self._comma} {here}" + ("" if is_needed else f" | {later}"))
        return self._rule("", f'"{{" {first}')

    def _several(self, written: str, least: int, most: int | None) -> str:
        """Return so many times the same, with commas between them; at least once."""
        if most == 1:
            return written
        n_more = "" if most is None else str(most - 1)
        return f"{written} ({self._comma} {written}){{{least - 1},{n_more}}}"

    def _rule(self, name: str, body: str) -> str:
        name = name or self._name()
        self._rules.append(f"{name}: {body}")
        return name

    def _name(self) -> str:
        self._n_names += 1
        return f"r{self._n_names}"


def _says_more(schema: JsonObject) -> bool:
    """Tell whether `schema` itself says what only Lark can."""
    return ANY_ORDER in schema or has_long(schema)


def _literal(text: str) -> str:
    return json.dumps(text)


def _both(conditions: Sequence[str]) -> tuple[str, ...]:
    """Return one condition that says all of `conditions`, if there is any."""
    said = [condition for condition in conditions if condition]
    if not said:
        return ()
    joined = said[0]
    for condition in said[1:]:
        joined = f"and({joined}, {condition})"
    return (joined,)


def _alternative(written: str, *condition: str) -> str:
    return f"{written} %if {condition[0]}" if condition else written
