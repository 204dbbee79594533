"""What the mask says of string formats: patterns of our own, as the checks define the formats.

The formats that the mask compiler knows itself are not used: they miss a leap second here, an
IPv4 tail there, and the 29th of February is a day of every year for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from steer_engine.schema.formats.hosts import LABEL, LOCAL_PART, MAX_LOCAL_PART
from steer_engine.schema.formats.identifiers import (
    FUTURE,
    IRI,
    IRI_REFERENCE,
    LITERAL,
    POINTER,
    RELATIVE_POINTER,
    TEMPLATE,
    URI,
    URI_REFERENCE,
    UUID,
)
from steer_engine.schema.formats.times import DATE, FRACTION, HOUR, MINUTE

_TIME = rf"{HOUR}:{MINUTE}:(?:{MINUTE}|60){FRACTION}(?:[zZ]|[+-]{HOUR}:{MINUTE})"

_N = "[0-9]+"
_DAYS = f"(?:{_N}Y(?:{_N}M(?:{_N}D)?)?|{_N}M(?:{_N}D)?|{_N}D)"
_HOURS = f"T(?:{_N}H(?:{_N}M(?:{_N}S)?)?|{_N}M(?:{_N}S)?|{_N}S)"
_DURATION = f"P(?:{_N}W|{_DAYS}(?:{_HOURS})?|{_HOURS})"

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_GROUP = "[0-9a-fA-F]{1,4}"
_HOST = rf"{LABEL.pattern}(?:\.{LABEL.pattern})*"


@lru_cache(maxsize=64)
def masked_format(name: str) -> tuple[tuple[str, ...], bool]:
    """Return patterns that all hold for a format of 2020-12, and whether they say all of it."""
    if name in _EXACT:
        return tuple(f"^(?:{each})$" for each in _EXACT[name]), True
    return tuple(f"^(?:{each})$" for each in _ROUGH.get(name, ())), False


def _leap_minutes() -> str:
    """Return a time that, if its second is 60, is in the last minute of an hour in UTC."""
    ways = ["59:60[.0-9]*[zZ]"]
    for minute in range(60):
        ways.append(f"{(59 + minute) % 60:02}:60[.0-9]*[+]..:{minute:02}")
        ways.append(f"{(59 - minute) % 60:02}:60[.0-9]*-..:{minute:02}")
    return f"..:(?:..:[0-5].*|{'|'.join(ways)})"


def _leap_hours() -> str:
    """Return a time that, if its second is 60, is in the last hour of a day in UTC."""
    ways = ["23:..:60[.0-9]*[zZ]"]
    for hour in range(24):
        ways.append(f"{(23 + hour) % 24:02}:..:60[.0-9]*[+]{hour:02}:00")
        ways.append(f"{(24 + hour) % 24:02}:..:60[.0-9]*[+]{hour:02}:(?:0[1-9]|[1-5].)")
        ways.append(f"{(23 - hour) % 24:02}:..:60[.0-9]*-{hour:02}:..")
    return f"(?:..:..:[0-5].*|{'|'.join(ways)})"


def _ipv6() -> str:
    """Return an address of RFC 4291 without a zone; its last two groups may be an IPv4 address."""
    ways = [rf"(?:{_GROUP}:){{7}}{_GROUP}", rf"(?:{_GROUP}:){{6}}{_IPV4}"]
    for n_before in range(8):
        before = rf"{_GROUP}(?::{_GROUP}){{{n_before - 1}}}" if n_before else ""
        after = [""]
        if n_before < 7:
            after.append(rf"{_GROUP}(?::{_GROUP}){{0,{6 - n_before}}}")
        if n_before < 6:
            after.append(rf"(?:{_GROUP}:){{0,{5 - n_before}}}{_IPV4}")
        ways.append(f"{before}::(?:{'|'.join(after)})")
    return f"(?:{'|'.join(ways)})"


_IPV6 = _ipv6()
_MAILBOX = rf"(?:{LOCAL_PART.pattern})@(?:{_HOST}|\[{_IPV4}\]|\[[iI][pP][vV]6:{_IPV6}\])"


def _with_addresses(identifier: str) -> str:
    return identifier.replace(LITERAL, rf"(?:{_IPV6}|{FUTURE.pattern})")


_EXACT: Mapping[str, tuple[str, ...]] = {
    "date": (DATE,),
    "date-time": (
        f"{DATE}[tT]{_TIME}",
        f".{{11}}{_leap_minutes()}",
        f".{{11}}{_leap_hours()}",
    ),
    "duration": (_DURATION,),
    "ipv4": (_IPV4,),
    "ipv6": (_IPV6,),
    "iri": (_with_addresses(IRI.pattern),),
    "iri-reference": (_with_addresses(IRI_REFERENCE.pattern),),
    "json-pointer": (POINTER.pattern,),
    "relative-json-pointer": (RELATIVE_POINTER.pattern,),
    "time": (_TIME, _leap_minutes(), _leap_hours()),
    "uri": (_with_addresses(URI.pattern),),
    "uri-reference": (_with_addresses(URI_REFERENCE.pattern),),
    "uri-template": (TEMPLATE.pattern,),
    "uuid": (UUID.pattern,),
}

_ROUGH: Mapping[str, tuple[str, ...]] = {
    "email": (_MAILBOX, f"[\\s\\S]{{1,{MAX_LOCAL_PART}}}@[^@]*"),
    "hostname": (_HOST,),
    "idn-email": ("[^@]+@[^@]+|[\\s\\S]*@[\\s\\S]*",),
}
"""Of a label with two hyphens after two letters a pattern cannot say whether it can be decoded."""
