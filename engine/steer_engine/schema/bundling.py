"""One document from many: every `$ref` becomes a pointer into the document itself.

A schema keeps its place where it means there what the reference means. A copy goes to `$defs` where
it comes from another document, or where `$dynamicRef` below it leads elsewhere: that depends on the
resources that were entered on the way, of which only the first with each dynamic anchor counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from copy import copy
from difflib import get_close_matches
from operator import itemgetter
from typing import TypeAlias, cast
from urllib.parse import quote, unquote, urldefrag

from steer_engine.errors import SchemaError
from steer_engine.pointers import pointer_to, steps_of
from steer_engine.schema.document import (
    DEFINITIONS,
    JsonObject,
    JsonSchema,
    JsonValue,
    place,
    walk,
)
from steer_engine.schema.drafts import LATEST_URI, Dialect, placed, respelled, standard_dialect
from steer_engine.schema.library import RECURSIVE, Library, Place
from steer_engine.schema.references import value_at

Scope: TypeAlias = "tuple[tuple[str, Place], ...]"
"""Each dynamic anchor that was met, by name, with the first place that has it."""

_DEFINITIONS = tuple(f"/{keyword}/" for keyword in DEFINITIONS)
_RENAMED = ("/additionalItems", "/dependencies")
_MAX_COPIED = 20_000  # subschemas
_SAFE_IN_FRAGMENT = "/~$!&'()*+,;=:@?"


def bundled(document: JsonSchema, resources: Mapping[str, JsonValue]) -> JsonSchema:
    """Return `document` as 2020-12 with no reference that leads out of it, and no names in it.

    What needs none of this stays as it is written. `resources` are the documents that references
    may lead to, by URI.

    Raises:
        SchemaError: a reference leads nowhere, or copying what they name has no end in sight.
    """
    if isinstance(document, bool):
        return document
    return _Bundle(Library(document, resources)).result()


class _Bundle:
    """Writes the schemas that are referred to, each once for each scope that matters."""

    def __init__(self, library: Library) -> None:
        self._library = library
        # Of the root document's own schemas, by their pointers: what these become, and the scope.
        self._own: dict[str, tuple[str, Scope]] = {}
        self._copies: dict[tuple[Place, Scope], str] = {}
        self._waiting: deque[tuple[Place, Scope, str]] = deque()
        self._names: set[str] = set()
        self._n_copied = 0

    def result(self) -> JsonSchema:
        """Return the document."""
        root = self._library.root
        self._survey(root, "", self._entered((), root))
        value = self._library.value(root)
        definitions = value.get("$defs") if isinstance(value, dict) else None
        self._names = set(definitions) if isinstance(definitions, dict) else set()
        schema = self._written(root, self._own[""][1])
        added: dict[str, JsonSchema] = {}
        while self._waiting:
            at, scope, pointer = self._waiting.popleft()
            added[pointer] = self._written(at, scope)
        if self._copies and isinstance(schema, dict):
            schema.setdefault("$defs", {})
        for pointer in sorted(added, key=len):  # one may stand inside another
            _put(cast("JsonObject", schema), pointer, added[pointer])
        return schema

    def _survey(self, start: Place, pointer: str, scope: Scope) -> None:
        """Note where the schemas at and below a place of the root document will stand."""
        waiting = [(start, pointer, scope)]
        while waiting:
            at, pointer, scope = waiting.pop()
            self._own[at.pointer] = pointer, scope
            value = self._library.value(at)
            for old, new, _ in placed(value, at.dialect) if isinstance(value, dict) else ():
                child = self._library.child(at, old)
                waiting.append((child, pointer + new, self._entered(scope, child)))

    def _entered(self, scope: Scope, at: Place) -> Scope:
        anchors = self._library.dynamic_anchors(at.resource)
        if not anchors:
            return scope
        return tuple(sorted(({**anchors, **dict(scope)}).items(), key=itemgetter(0)))

    def _written(self, at: Place, scope: Scope) -> JsonSchema:
        """Return the schema at a place with its references and those below rewritten."""
        value = self._library.value(at)
        if not isinstance(value, dict):
            return cast("JsonSchema", value)
        is_own = at.document == "" and self._own.get(at.pointer, ("", None))[1] == scope
        self._count(is_own=is_own)
        # The containers of subschemas are written to.
        schema = {key: copy(each) for key, each in respelled(value, at.dialect).items()}
        if is_own and not at.pointer:
            _name_latest(schema)
        else:
            _drop_names(schema, keep_definitions=is_own)
        self._redirect(schema, at, scope)
        for old, new, _ in placed(value, at.dialect):
            if is_own or not old.startswith(_DEFINITIONS):
                child = self._library.child(at, old)
                _put(schema, new, self._written(child, self._entered(scope, child)))
        return schema

    def _count(self, *, is_own: bool) -> None:
        self._n_copied += not is_own
        if self._n_copied > _MAX_COPIED:
            raise SchemaError(
                "the schema is too large once its references are resolved; "
                "use fewer `$dynamicRef` or smaller documents"
            )

    def _redirect(self, schema: JsonObject, at: Place, scope: Scope) -> None:
        """Rewrite the references of one schema."""
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            ref = schema.get(keyword)
            if not isinstance(ref, str):
                continue
            target = self._target(keyword, ref, at, scope)
            new = _fragment(ref, self._pointer(target, self._entered(scope, target)))
            if keyword == "$ref":
                schema["$ref"] = new
            elif "$ref" not in schema:
                items = [("$ref", new) if key == keyword else (key, schema[key]) for key in schema]
                schema.clear()
                schema.update(items)
            else:
                del schema[keyword]
                members = schema.get("allOf", [])
                schema["allOf"] = [*(members if isinstance(members, list) else []), {"$ref": new}]

    def _target(self, keyword: str, ref: str, at: Place, scope: Scope) -> Place:
        target = self._library.find(ref, at)
        if target is None:
            raise self._unresolved(ref, at)
        name = None
        if keyword == "$dynamicRef":
            name = unquote(urldefrag(ref).fragment)
        elif keyword == "$recursiveRef":
            name = RECURSIVE
        if name is None or self._library.dynamic_anchors(target.resource).get(name) != target:
            return target
        return dict(scope).get(name, target)

    def _unresolved(self, ref: str, at: Place) -> SchemaError:
        root = cast("JsonSchema", self._library.value(self._library.root))
        known = [f"#{each}" for each, _ in walk(root) if each.split("/")[-2:-1] == ["$defs"]]
        close = get_close_matches(ref, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return SchemaError(f"`$ref` to {ref!r} {place(at.pointer)} names nothing{hint}")

    def _pointer(self, target: Place, scope: Scope) -> str:
        """Return where the schema at `target` will stand, writing a copy of it if need be."""
        own = self._own_pointer(target, scope) if target.document == "" else None
        if own is not None:
            return own
        if (target, scope) not in self._copies:
            pointer = pointer_to("/$defs", self._new_name(target))
            self._copies[target, scope] = pointer
            self._waiting.append((target, scope, pointer))
        return self._copies[target, scope]

    def _own_pointer(self, target: Place, scope: Scope) -> str | None:
        """Return where a schema of the root document stands if it means the same there."""
        above, rest = target.pointer, ""
        while above not in self._own:
            above, _, step = above.rpartition("/")
            rest = f"/{step}{rest}"
        pointer, own_scope = self._own[above]
        if (
            own_scope != scope
            or (rest and target.dialect != Dialect())
            or rest.startswith(_RENAMED)
        ):
            return None
        if rest:  # where no keyword leads, it was not surveyed yet
            self._survey(target, pointer + rest, scope)
            self._waiting.append((target, scope, pointer + rest))
        return pointer + rest

    def _new_name(self, target: Place) -> str:
        step = target.pointer and steps_of(target.pointer)[-1]
        stem = name = step or target.resource.rstrip("/#").rpartition("/")[2] or "schema"
        n_same = 1
        while name in self._names:
            n_same += 1
            name = f"{stem}_{n_same}"
        self._names.add(name)
        return name


def _name_latest(schema: JsonObject) -> None:
    uri = schema.get("$schema")
    if isinstance(uri, str) and standard_dialect(uri) != Dialect():
        schema["$schema"] = LATEST_URI


def _drop_names(schema: JsonObject, *, keep_definitions: bool) -> None:
    definitions = () if keep_definitions else DEFINITIONS
    for keyword in ("$id", "$schema", "$vocabulary", *definitions):
        schema.pop(keyword, None)


def _fragment(ref: str, pointer: str) -> str:
    if ref.startswith("#") and unquote(ref[1:]) == pointer:
        return ref  # as it was written
    return "#" + quote(pointer, safe=_SAFE_IN_FRAGMENT)


def _put(schema: JsonObject, pointer: str, value: JsonValue) -> None:
    """Set what stands at `pointer`."""
    container = value_at(schema, pointer.rpartition("/")[0])
    last = steps_of(pointer)[-1]
    if isinstance(container, dict):
        container[last] = value
    elif isinstance(container, list) and last.isdecimal():
        container[int(last)] = value
