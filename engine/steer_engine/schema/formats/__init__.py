"""String formats, as JSON Schema and the RFCs define them.

`times`, `hosts`, `identifiers` and `contents` have the checks; `narrower` has
patterns for parts of formats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from steer_engine.errors import SchemaError
from steer_engine.schema.document import JsonObject
from steer_engine.schema.formats import contents, hosts, identifiers, times
from steer_engine.schema.patterns import check_pattern


def is_regex(text: str) -> bool:
    """ECMA-262, read as kindly as `pattern` is."""
    try:
        check_pattern(text)
    except SchemaError:
        return False
    return True


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    **contents.CHECKS,
    "date": times.is_date,
    "date-time": times.is_date_time,
    "duration": times.is_duration,
    "email": hosts.is_email,
    "hostname": hosts.is_hostname,
    "idn-email": hosts.is_idn_email,
    "idn-hostname": hosts.is_idn_hostname,
    "ipv4": hosts.is_ipv4,
    "ipv6": hosts.is_ipv6,
    "iri": identifiers.is_iri,
    "iri-reference": identifiers.is_iri_reference,
    "json-pointer": identifiers.is_json_pointer,
    "regex": is_regex,
    "relative-json-pointer": identifiers.is_relative_json_pointer,
    "time": times.is_time,
    "uri": identifiers.is_uri,
    "uri-reference": identifiers.is_uri_reference,
    "uri-template": identifiers.is_uri_template,
    "uuid": identifiers.is_uuid,
}
FORMATS = frozenset(_CHECKS)
"""All formats of 2020-12, and the contents of draft 7. Every other format is an annotation."""


def may_hold_texts(schema: JsonObject) -> bool:
    """Return whether `type` leaves strings, so that a `format` has something to check."""
    types = schema.get("type", "string")
    return "string" in (types if isinstance(types, list) else [types])


def check_format(name: str, text: str) -> bool:
    """Return whether `text` has the format `name`, which is one of `FORMATS`."""
    return _CHECKS[name](text)
