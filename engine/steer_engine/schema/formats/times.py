"""Dates, times and durations, as RFC 3339 writes them."""

from __future__ import annotations

import datetime as dt
import re

_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
DATE = rf"(?:[0-9]{{4}}-{_DAY}|{_LEAP_YEAR}-02-29)"
HOUR, MINUTE, FRACTION = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]", r"(?:\.[0-9]+)?"
LOCAL_DATE_TIME = f"^{DATE}T{HOUR}:{MINUTE}:{MINUTE}{FRACTION}$"
"""A date-time without an offset, for which JSON Schema has no format."""

_TIME = re.compile(
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.[0-9]+)?"
    r"(?:[zZ]|(?P<sign>[+-])(?P<off_hour>[0-9]{2}):(?P<off_minute>[0-9]{2}))"
)
_DATE_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_N = r"[0-9]+"
_DURATION = re.compile(  # a unit may only be left out at either end
    rf"P(?!$)(?:{_N}W"
    rf"|(?:{_N}Y(?:{_N}M(?:{_N}D)?)?|{_N}M(?:{_N}D)?|{_N}D)?"
    rf"(?:T(?:{_N}H(?:{_N}M(?:{_N}S)?)?|{_N}M(?:{_N}S)?|{_N}S))?)"
)


def is_date(text: str) -> bool:
    """RFC 3339 full-date."""
    if not _DATE_FORM.fullmatch(text):
        return False
    try:
        # Python does not have the year 0, which is a leap year like any 400th.
        dt.date.fromisoformat("0400" + text[4:] if text.startswith("0000") else text)
    except ValueError:
        return False
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
