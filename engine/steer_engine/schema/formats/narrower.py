"""Patterns for parts of formats, for which JSON Schema has no names."""

from __future__ import annotations

from collections.abc import Mapping

from steer_engine.schema.formats.identifiers import uuid_pattern
from steer_engine.schema.formats.times import LOCAL_DATE_TIME

VERSIONED_UUIDS: Mapping[str, str] = {
    f"uuid{version}": uuid_pattern(version) for version in (1, 3, 4, 5, 6, 7, 8)
}
"""Pydantic's names of UUIDs, with their patterns."""

NEAREST_FORMATS: Mapping[str, str] = {
    LOCAL_DATE_TIME: "date-time",
    **dict.fromkeys(VERSIONED_UUIDS.values(), "uuid"),
}
"""The format that a reader of the pattern thinks of."""
