"""Dates and times as JSON Schema writes them (RFC 3339, ISO 8601 durations).

Each reader raises ValueError or OverflowError for what Python or a table cannot hold, as a leap
second or nanoseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from steer_engine import ColumnKind

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W|(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?"
    r"(?:(?P<seconds>\d+)(?:\.(?P<fraction>\d+))?S)?)?)"
)
_TOO_FINE = re.compile(r"\.\d{6}0*[1-9]")
_LONGEST = timedelta(microseconds=2**63 - 1)  # tables count in 64 bits


def read_date(text: str) -> date:
    """Read ``2026-01-31``."""
    return date.fromisoformat(text)


def read_datetime(text: str) -> datetime:
    """Read ``2026-01-31T09:30:00+01:00`` as a moment in UTC. Without an offset it is UTC."""
    moment = datetime.fromisoformat(_microseconds(text).upper())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_time(text: str) -> time:
    """Read ``09:30:00+01:00``; the offset is kept."""
    return time.fromisoformat(_microseconds(text).upper())


def read_utc_time(text: str) -> time:
    """Read ``09:30:00Z`` for a table whose times have no offsets; any other offset is refused."""
    clock = read_time(text)
    if clock.utcoffset():
        raise ValueError(f"{text!r} has an offset")
    return clock.replace(tzinfo=None)


def read_duration(text: str) -> timedelta:
    """Read ``P1DT2H``. A year or a month has no fixed length and is refused."""
    match = _DURATION.fullmatch(_microseconds(text))
    if match is None or text == "P":
        raise ValueError(f"{text!r} has no fixed length")
    amounts = match.groupdict("0")
    fraction = amounts.pop("fraction")
    length = timedelta(
        **{unit: int(amount) for unit, amount in amounts.items()},
        microseconds=int(f"{fraction:0<6.6}"),
    )
    if length > _LONGEST:
        raise OverflowError("beyond 64 bits")
    return length


def _microseconds(text: str) -> str:
    """Return `text` unless it is finer: Python would cut that without a word."""
    if _TOO_FINE.search(text):
        raise ValueError(f"{text!r} is finer than microseconds")
    return text


UTC_READERS: Mapping[ColumnKind, Callable[[str], object]] = {
    ColumnKind.DATE: read_date,
    ColumnKind.DATETIME: read_datetime,
    ColumnKind.TIME: read_utc_time,
    ColumnKind.DURATION: read_duration,
}
"""How tables read these kinds whose times have no offsets."""
