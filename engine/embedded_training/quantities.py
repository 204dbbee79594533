"""Random quantities: dates, times, amounts of money, counts and measures."""

import datetime as dt

from embedded_training.randomness import Source, Value

# fmt: off
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NUMBER_WORDS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)
# fmt: on
CURRENCIES = (
    ("$", "USD", "dollars"),
    ("$", "USD", "bucks"),
    ("€", "EUR", "euros"),
    ("£", "GBP", "pounds"),
)


def _ordinal(day: int) -> str:
    suffix = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{suffix}"


def _date_layouts(day: dt.date) -> list[str]:
    """Return the ways to write a date; frequent ones occur more than once."""
    month, short = MONTHS[day.month - 1], MONTHS[day.month - 1][:3]
    weekday = WEEKDAYS[day.weekday()]
    iso = day.isoformat()
    layouts = [
        *(iso, iso, iso, iso),
        *[f"{month} {day.day}, {day.year}"] * 3,
        *[f"{day.day} {month} {day.year}"] * 4,
        *[f"{day.day} {short} {day.year}"] * 2,
        *[f"{short} {day.day}, {day.year}"] * 2,
        f"{day.day:02d} {short} {day.year}",
        f"{short} {day.day} {day.year}",
        f"{month} {_ordinal(day.day)}, {day.year}",
        f"{_ordinal(day.day)} {month} {day.year}",
        f"{_ordinal(day.day)} of {month} {day.year}",
        f"{weekday}, {day.day} {month} {day.year}",
        f"{weekday[:3]}, {short} {day.day}, {day.year}",
        f"{day.day}. {month} {day.year}",
        f"{day.day:02d}.{day.month:02d}.{day.year}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day.year}/{day.month:02d}/{day.day:02d}",
        f"{day.day:02d}-{short}-{day.year}",
    ]
    if day.day > 12:  # only then is the order of day and month beyond doubt
        layouts += [
            f"{day.day:02d}/{day.month:02d}/{day.year}",
            f"{day.month:02d}/{day.day:02d}/{day.year}",
        ]
    return layouts


def date(source: Source) -> Value:
    """Return a day between 2012 and 2032 in one of many layouts."""
    first = dt.date(2012, 1, 1).toordinal()
    day = dt.date.fromordinal(first + source.between(0, 7600))
    if source.chance(0.4):
        day = day.replace(year=source.pick((2023, 2024, 2025, 2026)), day=min(day.day, 28))
    return Value(source.pick(_date_layouts(day)), date=day.isoformat())


def clock_time(source: Source) -> Value:
    """Return a time of day."""
    hour = source.between(0, 23)
    minute = source.pick((0, 0, 15, 30, 45, source.between(0, 59)))
    half = "am" if hour < 12 else "pm"
    return Value(
        source.pick(
            (
                f"{hour:02d}:{minute:02d}",
                f"{hour:02d}:{minute:02d}",
                f"{hour % 12 or 12}:{minute:02d} {half}",
                f"{hour % 12 or 12}{half}",
            )
        )
    )


def plain_number(amount: float) -> int | float:
    """Return the number as JSON writes it shortest: 49 for 49.0, 49.9 for 49.90."""
    return int(amount) if amount == int(amount) else amount


def _cents(source: Source) -> int:
    """Return an amount of money in cents, small ones more often than large ones."""
    dice = source.rng.random()
    if dice < 0.35:
        return source.between(100, 9999)
    if dice < 0.6:
        return 100 * source.pick(
            (source.between(1, 99), source.between(10, 999), 10 * source.between(2, 99))
        )
    if dice < 0.8:
        return source.between(10000, 99999)
    if dice < 0.9:
        return 100 * source.between(1000, 99999)
    return source.between(100000, 9999999)


def _written_amount(source: Source, cents: int) -> str:
    """Return the digits of an amount, in the English or now and then in the continental way."""
    whole, rest = divmod(cents, 100)
    grouped = f"{whole:,}" if source.chance(0.6) else str(whole)
    decimals = f".{rest:02d}" if rest or source.chance(0.25) else ""
    if source.chance(0.08):
        swap = str.maketrans(",.", ".,")
        return (grouped + (decimals or ".00")).translate(swap)
    return grouped + decimals


def money(source: Source) -> Value:
    """Return an amount of money with its currency."""
    cents = _cents(source)
    sign, code, word = source.pick(CURRENCIES)
    written = _written_amount(source, cents)
    if source.chance(0.03):
        cents = 100_000 * source.between(1, 90)
        written = f"{cents // 100_000}k"
    layouts = [*[f"{sign}{written}"] * 6, f"{written} {sign}", f"{written}{sign}"]
    layouts += [f"{written} {code}", f"{code} {written}", f"{written} {word}", f"{sign} {written}"]
    return Value(source.pick(layouts), number=plain_number(cents / 100), currency=code)


def count(source: Source, low: int, high: int) -> Value:
    """Return a whole number, now and then written as a word or with a thousands comma."""
    number = source.between(low, high if source.chance(0.5) else min(high, low + 19))
    text = f"{number:,}" if source.chance(0.5) else str(number)
    if 1 <= number <= 12 and source.chance(0.15):
        text = NUMBER_WORDS[number - 1]
    return Value(text, number=number)


def measure(source: Source, low: float, high: float) -> Value:
    """Return a measured number with one decimal or none."""
    number = source.rng.uniform(low, high)
    text = f"{number:.1f}" if source.chance(0.7) else str(int(number))
    return Value(text, number=plain_number(float(text)))
