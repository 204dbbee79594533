"""String formats, as JSON Schema and the RFCs define them, and what the mask knows of them.

`times`, `hosts` and `identifiers` have the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from steer_engine.errors import SchemaError
from steer_engine.schema.formats import hosts, identifiers, times
from steer_engine.schema.patterns import check_pattern


def is_regex(text: str) -> bool:
    """ECMA-262, read as kindly as `pattern` is."""
    try:
        check_pattern(text)
    except SchemaError:
        return False
    return True


ENFORCED: Mapping[str, Callable[[str], bool]] = {
    "date": times.is_date,
    "date-time": times.is_date_time,
    "duration": times.is_duration,
    "email": hosts.is_email,
    "hostname": hosts.is_hostname,
    "ipv4": hosts.is_ipv4,
    "ipv6": hosts.is_ipv6,
    "time": times.is_time,
    "uri": identifiers.is_uri,
    "uuid": identifiers.is_uuid,
}
"""The formats that the mask compiler knows, each with its check."""

_OTHERS: Mapping[str, Callable[[str], bool]] = {
    "idn-email": hosts.is_idn_email,
    "idn-hostname": hosts.is_idn_hostname,
    "iri": identifiers.is_iri,
    "iri-reference": identifiers.is_iri_reference,
    "json-pointer": identifiers.is_json_pointer,
    "regex": is_regex,
    "relative-json-pointer": identifiers.is_relative_json_pointer,
    "uri-reference": identifiers.is_uri_reference,
    "uri-template": identifiers.is_uri_template,
}

UNENFORCED = frozenset(_OTHERS)
"""The formats that JSON Schema defines and no mask knows; every other format is an annotation."""

_CHECKS = {**ENFORCED, **_OTHERS}
FORMATS = frozenset(_CHECKS)
"""All formats of 2020-12. Every other format is an annotation."""


def check_format(name: str, text: str) -> bool:
    """Return whether `text` has the format `name`, which is one of `FORMATS`."""
    return _CHECKS[name](text)


_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_FULL_DATE = rf"(?:[0-9]{{4}}-{_DAY}|{_LEAP_YEAR}-02-29)"
_FULL_TIME = (
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:[zZ]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)

TIGHTENED: Mapping[str, tuple[str, ...]] = {
    "date": (f"^{_FULL_DATE}$",),
    "date-time": (f"^{_FULL_DATE}[tT]{_FULL_TIME}$",),
    "time": (f"^{_FULL_TIME}$",),
    "email": (r"@(?:[^.@]{1,63}\.)*[^.@]{1,63}$", r"@[^@]{1,253}$"),
}
"""Patterns that also hold for these formats and that llguidance's own regular expressions miss:
29 February in leap years only, no leap seconds (they are right at one minute a day in each zone,
and no model means them), labels of at most 63 characters."""
