"""Checks of the string formats that the mask enforces, as JSON Schema and its RFCs define them."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

_TIME = re.compile(
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.[0-9]+)?"
    r"(?:[zZ]|(?P<sign>[+-])(?P<off_hour>[0-9]{2}):(?P<off_minute>[0-9]{2}))"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_N = r"[0-9]+"
_DURATION = re.compile(  # a unit may only be left out at either end
    rf"P(?!$)(?:{_N}W"
    rf"|(?:{_N}Y(?:{_N}M(?:{_N}D)?)?|{_N}M(?:{_N}D)?|{_N}D)?"
    rf"(?:T(?:{_N}H(?:{_N}M(?:{_N}S)?)?|{_N}M(?:{_N}S)?|{_N}S))?)"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LABEL = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
_ATOM = r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*|\"(?:[^\"\\\x00-\x1f\x7f-\U0010ffff]|\\[ -~])*\"")
_URI = re.compile(
    r"[a-zA-Z][a-zA-Z0-9+.-]*:(?:[a-zA-Z0-9._~:/?#@!$&'()*+,;=\[\]-]|%[0-9a-fA-F]{2})*"
)


def is_date(text: str) -> bool:
    """RFC 3339 full-date."""
    if not _DATE.fullmatch(text):
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return text.startswith("0000") and text[4:] != "-02-30"  # a year Python does not have
    return True


def is_time(text: str) -> bool:
    """RFC 3339 full-time; a leap second only where it is 23:59 in UTC."""
    match = _TIME.fullmatch(text)
    if match is None:
        return False
    hour, minute, second = (int(match[part]) for part in ("hour", "minute", "second"))
    offset = (int(match["off_hour"] or 0), int(match["off_minute"] or 0))
    if hour > 23 or minute > 59 or second > 60 or offset[0] > 23 or offset[1] > 59:
        return False
    sign = -1 if match["sign"] == "+" else 1
    utc = hour * 60 + minute + sign * (offset[0] * 60 + offset[1])
    return second < 60 or utc % (24 * 60) == 23 * 60 + 59


def is_date_time(text: str) -> bool:
    """RFC 3339 date-time."""
    return text[10:11] in ("T", "t") and is_date(text[:10]) and is_time(text[11:])


def is_duration(text: str) -> bool:
    """RFC 3339 appendix A."""
    return _DURATION.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """RFC 4122."""
    return _UUID.fullmatch(text) is not None


def is_hostname(text: str) -> bool:
    """RFC 1123, in ASCII; what an `xn--` label decodes to is not looked at."""
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in text.split("."))


def is_ipv4(text: str) -> bool:
    """RFC 2673 dotted quad."""
    return _is_address(text, ipaddress.IPv4Address)


def is_ipv6(text: str) -> bool:
    """RFC 4291, without a zone."""
    return "%" not in text and _is_address(text, ipaddress.IPv6Address)


def is_email(text: str) -> bool:
    """RFC 5321 mailbox."""
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local):
        return False
    if domain.startswith("[") and domain.endswith("]"):
        literal = domain[1:-1]
        return is_ipv6(literal[5:]) if literal.lower().startswith("ipv6:") else is_ipv4(literal)
    return is_hostname(domain)


def is_uri(text: str) -> bool:
    """RFC 3986, with a scheme."""
    if not _URI.fullmatch(text) or text.count("#") > 1:
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return False
    if re.search(r"[\[\]]", parts.path + parts.query + parts.fragment):
        return False
    user = parts.netloc.rpartition("@")[0]
    return "[" not in user and "@" not in user


def _is_address(text: str, kind: Callable[[str], object]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return text.isascii()


ENFORCED: Mapping[str, Callable[[str], bool]] = {
    "date": is_date,
    "date-time": is_date_time,
    "duration": is_duration,
    "email": is_email,
    "hostname": is_hostname,
    "ipv4": is_ipv4,
    "ipv6": is_ipv6,
    "time": is_time,
    "uri": is_uri,
    "uuid": is_uuid,
}
"""The formats that are enforced, each with its check."""

UNENFORCED = frozenset(
    {
        "idn-email",
        "idn-hostname",
        "iri",
        "iri-reference",
        "json-pointer",
        "regex",
        "relative-json-pointer",
        "uri-reference",
        "uri-template",
    }
)
"""Formats that JSON Schema defines and no mask knows; every other format is an annotation."""

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
