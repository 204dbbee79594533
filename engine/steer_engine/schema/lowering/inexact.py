"""The account of what the mask does not enforce exactly, kept while a document is lowered."""

from __future__ import annotations

from steer_engine.schema.document import JsonObject

_EVERYTHING = ""  # in place of a keyword


class Inexact:
    """The keywords of which the mask allows more than they do, each with the reason."""

    def __init__(self) -> None:
        self._reasons: dict[int, dict[str, str]] = {}

    def note(self, schema: JsonObject, keyword: str, reason: str) -> None:
        """Note that the guard must see to `keyword` of `schema`."""
        self._reasons.setdefault(id(schema), {}).setdefault(keyword, reason)

    def note_whole(self, schema: JsonObject, reason: str) -> None:
        """Note that the guard must see to `schema` as a whole."""
        self.note(schema, _EVERYTHING, reason)

    def schemas(self) -> set[int]:
        """Return the ids of the schemas of which something is noted."""
        return set(self._reasons)

    def is_whole(self, schema: JsonObject) -> bool:
        """Tell whether the guard must see to all of `schema`."""
        return _EVERYTHING in self._reasons.get(id(schema), ())

    def reason(self, schema: JsonObject, keyword: str) -> str | None:
        """Return why the guard must see to `keyword` of `schema`; None if it need not."""
        reasons = self._reasons.get(id(schema), {})
        return reasons.get(keyword, reasons.get(_EVERYTHING))
