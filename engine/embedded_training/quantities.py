"""Random quantities: dates, times, amounts of money, counts and measures."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import replace

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
TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# fmt: on
# Sign, code, word, and how often of a hundred.
CURRENCIES = (
    *[("$", "USD", "dollars")] * 30,
    *[("$", "USD", "bucks")] * 6,
    *[("€", "EUR", "euros")] * 28,
    *[("€", "EUR", "euro")] * 6,
    *[("£", "GBP", "pounds")] * 16,
    ("£", "GBP", "quid"),
    *[("CHF", "CHF", "francs")] * 4,
    *[("¥", "JPY", "yen")] * 3,
    *[("₹", "INR", "rupees")] * 3,
    ("kr", "SEK", "kronor"),
    ("A$", "AUD", "dollars"),
    ("US$", "USD", "dollars"),
)  # fmt: skip
BIG_NUMBERS = ((1_000, ("k", "K", "k", " thousand")), (1_000_000, (" million", " mln", "M")))
# What may stand behind an amount of money.
RATES = (
    " each", " per night", "/night", " per month", "/month", " a month", " p.m.", " per person",
    " pp", " per hour", "/h", "/kg", " per kg", " per m2", " per piece", " / pc", " p.a.",
    " incl. VAT",
)  # fmt: skip
# Units of all sorts, for numbers behind labels that say nothing about them.
UNITS = (
    " m", "m", " m/s", " m2", " m²", " mm", " ms", "ms", " min", " mins", " km", "km", " kg", "kg",
    " g", "g", " ml", " l", " L", " kWh", " MB", "MB", " GB", "%", " %", "°C", " °C", " C", "C",
    " degrees", " h", "h", " hrs", " hours", " pcs", " pieces", "x", " x", " cm", " V", " W", " kW",
    " Hz", " MHz", " bar", " km/h", " mph", " ft", " lbs", " s", " sec", " days", " people", " °F",
    " kB", " Mbit/s", " rpm", " sqm", " ha", " tons", " pts", " pp.", " mg", " dB", " kcal", " oz",
)  # fmt: skip


def _ordinal(day: int) -> str:
    suffix = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{suffix}"


def _date_layouts(day: dt.date) -> list[str]:
    """Return the ways to write a date, in one order; frequent ones occur more than once."""
    month, short = MONTHS[day.month - 1], MONTHS[day.month - 1][:3]
    weekday = WEEKDAYS[day.weekday()]
    iso = day.isoformat()
    is_clear = day.day > 12  # only then is the order of day and month beyond doubt
    return [
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
        f"{short} {_ordinal(day.day)} {day.year}",
        f"the {_ordinal(day.day)} of {month} {day.year}",
        f"{weekday} {day.day} {month} {day.year}",
        f"{weekday}, {month} {_ordinal(day.day)}, {day.year}",
        f"{day.year}.{day.month:02d}.{day.day:02d}",
        f"{day.year} {short} {day.day:02d}",
        f"{day.day} {short}. {day.year}",
        f"{day.day}-{short}-{day.year}",
        f"{short.upper()} {day.day:02d} {day.year}",
        f"{day.day:02d} {month.upper()} {day.year}",
        f"{day.day:02d}-{day.month:02d}-{day.year}" if is_clear else iso,
        f"{day.day:02d}/{day.month:02d}/{day.year}" if is_clear else iso,
        f"{day.month:02d}/{day.day:02d}/{day.year}" if is_clear else iso,
    ]


def date(source: Source) -> Value:
    """Return a day of 2021 to 2027, or now and then of 2012 to 2032, in one of many layouts."""
    day = _day(source)
    if source.chance(0.02):
        return Value(_day_without_year(source, day))
    return _written_date(source, day)


def birthday(source: Source) -> Value:
    """Return the day on which somebody was born, between 1935 and 2020."""
    return _written_date(source, dt.date.fromordinal(source.between(*_days_of(1935, 2020))))


def dates_in_order(source: Source, count: int) -> list[Value]:
    """Return days of which each is later than the one before."""
    day, days = _day(source), []
    for _ in range(count):
        days.append(_written_date(source, day))
        day += _gap(source)
    return days


def day_after(source: Source, day: str) -> Value:
    """Return a day after another, which is in the form 2024-03-03."""
    return _written_date(source, dt.date.fromisoformat(day) + _gap(source))


def day_before(source: Source, day: str) -> Value:
    """Return a day before another, which is in the form 2024-03-03."""
    return _written_date(source, dt.date.fromisoformat(day) - _gap(source))


def _gap(source: Source) -> dt.timedelta:
    return dt.timedelta(source.pick((1, 2, 3, 7, 14, 30, source.between(1, 90))))


def _written_date(source: Source, day: dt.date) -> Value:
    layouts = _date_layouts(day)
    return Value(source.pick_usual(layouts, source.habits.date_layout), date=day.isoformat())


def _day(source: Source) -> dt.date:
    """Return a day near the other days of the text, and any day now and then."""
    if source.chance(0.05):
        return dt.date.fromordinal(source.between(*_days_of(2012, 2032)))
    first, last = _days_of(2021, 2027)
    middle = first + int(source.habits.day * (last - first))
    return dt.date.fromordinal(middle + int(source.rng.gauss(0, 25)))


def _days_of(first_year: int, last_year: int) -> tuple[int, int]:
    """Return the first and the last day of some years, as numbers."""
    return dt.date(first_year, 1, 1).toordinal(), dt.date(last_year, 12, 31).toordinal()


def _day_without_year(source: Source, day: dt.date) -> str:
    """Return a day as chats name it; nobody can tell its date, so that it is a text."""
    month, weekday = MONTHS[day.month - 1], WEEKDAYS[day.weekday()]
    return source.pick(
        (
            f"{day.day} {month}",
            f"{month} {_ordinal(day.day)}",
            f"{weekday}, {day.day} {month[:3]}",
            weekday,
            f"next {weekday}",
            "tomorrow",
            f"the {_ordinal(day.day)}",
            f"the end of {month}",
        )
    )


def clock_time(source: Source) -> Value:
    """Return a time of day in one of many layouts; its JSON form is in UTC, as formats demand."""
    hour = source.between(0, 23) if source.chance(0.4) else source.between(7, 21)
    minute = source.pick((0, 0, 15, 30, 45, source.between(0, 59)))
    return _written_clock(source, hour, minute)


def times_in_order(source: Source, count: int) -> list[Value]:
    """Return times of one day of which each is later than the one before."""
    minute, times = 60 * source.between(6, max(6, 22 - 3 * count)) + 5 * source.between(0, 11), []
    for _ in range(count):
        times.append(_written_clock(source, *divmod(minute, 60)))
        minute += source.pick((10, 15, 30, 45, 60, 90, 120, source.between(5, 180)))
    return times


def _written_clock(source: Source, hour: int, minute: int) -> Value:
    return Value(_written_time(source, hour, minute), time=f"{hour:02d}:{minute:02d}:00Z")


def _written_time(source: Source, hour: int, minute: int) -> str:
    half, twelve = ("am" if hour < 12 else "pm"), hour % 12 or 12
    layouts = [
        *[f"{hour:02d}:{minute:02d}"] * 5,
        *[f"{twelve}:{minute:02d} {half}"] * 2,
        f"{twelve}:{minute:02d}{half}",
        f"{twelve}:{minute:02d} {half.upper()}",
        f"{twelve}.{minute:02d} {half[0]}.m.",
        f"{twelve:02d}:{minute:02d} {half.upper()}",
        f"{hour}:{minute:02d}",
        f"{hour:02d}h{minute:02d}",
        f"{hour:02d}.{minute:02d}",
        f"{hour:02d}:{minute:02d}:00",
        f"{hour:02d}:{minute:02d} h",
    ]
    on_the_hour = []
    if minute == 0:
        on_the_hour += [f"{twelve}{half}", f"{twelve} {half}", f"{twelve}{half}", f"{hour:02d}00h"]
        if hour in (0, 12):
            on_the_hour += ["noon" if hour else "midnight"] * 4
        else:
            on_the_hour.append(f"{twelve} o'clock {'in the morning' if hour < 12 else _late(hour)}")
    if minute == 30 and 6 < hour < 12 and source.chance(0.06):
        return f"half past {NUMBER_WORDS[hour - 1]} in the morning"
    if on_the_hour and source.chance(0.3):
        return source.pick(on_the_hour)
    return source.pick_usual(layouts, source.habits.time_layout)


def _late(hour: int) -> str:
    return "in the afternoon" if hour < 18 else "in the evening" if hour < 22 else "at night"


def moment(source: Source) -> Value:
    """Return a day and a time of that day."""
    day = _day(source)
    hour, minute, second = source.between(0, 23), source.between(0, 59), 0
    iso, offset = day.isoformat(), "Z"
    if source.chance(0.5):
        minute = source.pick((0, 15, 30, 45))
    clock = _written_time(source, hour, minute)
    dice = source.rng.random()
    if dice < 0.4:
        second = source.between(0, 59)
        exact = f"{hour:02d}:{minute:02d}:{second:02d}"
        offset = source.pick(("Z", "Z", "+02:00", "+01:00", "-05:00")) if dice < 0.14 else "Z"
        month = MONTHS[day.month - 1][:3]
        text = source.pick(
            (
                f"{iso} {exact}",
                f"{iso} {exact}",
                f"{iso}T{exact}",
                f"{iso.replace('-', '/')} {exact}",
                f"{day.day:02d}/{month}/{day.year}:{exact}",
                f"{iso} {exact} UTC",
                f"{WEEKDAYS[day.weekday()][:3]}, {day.day} {month} {day.year} {exact}",
            )
        )
        text = f"{iso}T{exact}{offset}" if dice < 0.14 else text
    else:
        written = _written_date(source, day).text
        layouts = (" at ", ", ", " ", ", at ", " - ", " @ ")
        text = f"{written}{source.pick(layouts)}{clock}"
        if source.chance(0.15):
            text = f"{clock} {source.pick(('on', 'on', '-'))} {written}"
    stamp = f"{iso}T{hour:02d}:{minute:02d}:{second:02d}{offset}"
    return Value(text, date=iso, time=stamp[11:], moment=stamp)


def plain_number(amount: float) -> int | float:
    """Return the number as JSON writes it shortest: 49 for 49.0, 49.9 for 49.90."""
    return int(amount) if amount == int(amount) else amount


def _cents(source: Source, limits: tuple[int, int] | None = None) -> int:
    """Return an amount of money in cents, between two amounts or as large as is usual here."""
    low, high = limits or _usual_limits(source)
    amount = 10 ** source.rng.uniform(math.log10(low), math.log10(high))
    dice = source.rng.random()
    if dice < 0.45:
        cents = round(amount * 100)
    elif dice < 0.55 and amount < 1000:
        cents = 100 * math.ceil(amount) - source.pick((1, 5, 10, 50))
    elif dice < 0.8 or amount < 20:
        cents = 100 * round(amount)
    else:
        step = 5 if amount < 200 else 10 ** (len(str(int(amount))) - 2)
        cents = 100 * step * round(amount / step)
    return min(max(cents, math.ceil(100 * low)), int(100 * high))


def _usual_limits(source: Source) -> tuple[float, float]:
    """Return what the amounts of this text are mostly between; low sums are more frequent."""
    dearness = source.habits.dearness if source.chance(0.8) else source.rng.random()
    middle = 10 ** (0.7 + 4.3 * dearness**1.8)
    return middle / 3, middle * 3


def _written_amount(source: Source, cents: int) -> str:
    """Return the digits of an amount, in the English or, now and then, in another way."""
    whole, rest = divmod(cents, 100)
    grouped = f"{whole:,}" if source.chance(0.7) else str(whole)
    decimals = f".{rest:02d}" if rest or source.chance(0.25) else ""
    dice = source.rng.random()
    if dice < 0.05:
        return (grouped + decimals).translate(str.maketrans(",.", ".,"))
    if dice < 0.09:
        separator = source.pick((" ", "'", "\u00a0"))
        decimals = decimals.replace(".", source.pick(".,"))
        return grouped.replace(",", separator) + decimals
    return grouped + decimals


def grouped_digits(source: Source, number: int) -> str:
    """Return a whole number, often with its thousands in groups."""
    dice = source.rng.random()
    if number < 1000 or dice < 0.25:
        return str(number)
    separators = ((0.85, ","), (0.9, "."), (0.95, " "), (0.97, "\u00a0"), (1.0, "'"))
    sign = next(sign for limit, sign in separators if dice < limit)
    return f"{number:,}".replace(",", sign)


def with_unit(source: Source, value: Value, units: Sequence[str], p_unit: float) -> Value:
    """Return a number that a unit follows with probability `p_unit`; it stays the number."""
    if value.text[-1].isalpha():
        # A word or a shortened number runs into no unit: "twenty kWh", but never "4.1Kms".
        short = value.text[-1] in "kKM"
        units = [unit for unit in units if unit.startswith(" ") and not short]
    if not units or not source.chance(p_unit):
        return value
    return replace(value, shown=value.text + source.pick(units))


def money(source: Source, limits: tuple[int, int] | None = None) -> Value:
    """Return an amount of money with its currency, perhaps between two amounts."""
    cents = _cents(source, limits)
    sign, code, word = source.pick_usual(CURRENCIES, source.habits.currency)
    written = _written_amount(source, cents)
    if not limits and source.chance(0.02):
        return _short_money(source, sign, code, word)
    if source.chance(0.03) and cents % 100 == 0 and 200 <= cents <= 9900:
        text = f"{number_in_words(cents // 100)} {word}"
        return Value(text, number=cents // 100, currency=code)
    layouts = [*[f"{sign}{written}"] * 6, f"{written} {sign}", f"{written}{sign}"]
    layouts += [f"{written} {code}", f"{code} {written}", f"{written} {word}", f"{sign} {written}"]
    layouts += [f"{code}{written}", f"{written}{code}", f"{sign}{written} {code}"]
    if sign[0].isalpha():
        layouts = [
            f"{written} {code}",
            f"{code} {written}",
            f"{written} {word}",
            f"{sign} {written}",
        ]
    text = source.pick_usual(layouts, source.habits.money_layout)
    value = Value(text, number=plain_number(cents / 100), currency=code)
    # Where a table sets the limits, it knows what the amount is for.
    return value if limits else with_unit(source, value, RATES, 0.02)


def signed_money(source: Source) -> Value:
    """Return an amount that came in or, with a minus before it, went out."""
    cents = _cents(source)
    sign, code, _ = source.pick_usual(CURRENCIES, source.habits.currency)
    written = _written_amount(source, cents)
    is_out = source.chance(0.6)
    mark = source.pick(("-", "-", "-", "- ", "\u2212")) if is_out else source.pick(("+", "+", ""))
    layouts = (f"{mark}{written}", f"{mark}{written}", f"{mark}{sign}{written}",
               f"{mark}{written} {code}", f"{mark}{written} {sign}")  # fmt: skip
    number = plain_number(cents / 100)
    return Value(source.pick(layouts), number=-number if is_out else number, currency=code)


def _short_money(source: Source, sign: str, code: str, word: str) -> Value:
    """Return an amount such as ``$1.2m``, ``38k EUR`` or ``2 million euros``."""
    written, number = _shortened(source)
    layouts = [f"{sign}{written}"] * 3 + [f"{written} {word}", f"{code} {written}"]
    if number >= 1_000_000 and source.chance(0.4):
        # A lone m stands for a million only where a sign of money goes before it.
        layouts = [sign + written.split()[0].rstrip("M") + source.pick("mM")]
    return Value(source.pick(layouts), number=number, currency=code)


def _shortened(source: Source) -> tuple[str, int]:
    """Return a number such as ``3.5k`` or ``2 million`` and what it stands for."""
    unit, marks = source.pick(BIG_NUMBERS)
    tenths = source.pick((10 * source.between(1, 99), source.between(11, 99)))
    digits = f"{tenths // 10}" if tenths % 10 == 0 else f"{tenths / 10:.1f}"
    return digits + source.pick(marks), tenths * unit // 10


def number_in_words(number: int) -> str:
    """Return a number below 100 in words."""
    if number <= len(NUMBER_WORDS):
        return NUMBER_WORDS[number - 1]
    if number < 20:
        return TEENS[number - 13]
    tens, ones = divmod(number, 10)
    return TENS[tens - 2] + (f"-{NUMBER_WORDS[ones - 1]}" if ones else "")


def count(source: Source, low: int, high: int) -> Value:
    """Return a whole number, now and then as a word, with a thousands comma or shortened."""
    number = source.between(low, high if source.chance(0.5) else min(high, low + 19))
    if high >= 5000 and source.chance(0.4):
        # Numbers of every length, as often short as long.
        number = int(10 ** source.rng.uniform(math.log10(max(low, 100)), math.log10(high)))
    text = grouped_digits(source, number)
    dice = source.rng.random()
    if 1 <= number <= 12 and dice < 0.15:
        text = NUMBER_WORDS[number - 1]
    elif number == 12 and dice < 0.3:
        text = "a dozen"
    elif 12 < number < 100 and dice < 0.06:
        text = number_in_words(number)
    elif high >= 100_000 and dice < 0.06:
        text, number = _shortened(source)
    return Value(text, number=number)


def percent(source: Source) -> Value:
    """Return a share in percent with its sign or word."""
    number: float = source.between(1, 99)
    if source.chance(0.35):
        number = source.between(1, 999) / 10
    text = f"{number:g}"
    if source.chance(0.08):
        text = text.replace(".", ",")
    sign = source.pick(("%", "%", "%", " %", " percent", " per cent"))
    return Value(text + sign, number=plain_number(number))


def measure(source: Source, low: float, high: float) -> Value:
    """Return a measured number with one or two decimals or none."""
    number = source.rng.uniform(low, high)
    text = f"{number:.1f}" if source.chance(0.6) else str(int(number))
    if source.chance(0.15):
        text = f"{number:.2f}"
    value = plain_number(float(text))
    if "." in text and source.chance(0.03):
        text = text.replace(".", ",")
    return Value(text, number=value)


def year(source: Source) -> Value:
    """Return a year of this or the last century."""
    number = source.between(1960, 2026) if source.chance(0.3) else source.between(2004, 2026)
    return Value(str(number), number=number)


def dose(source: Source) -> Value:
    """Return an amount of a medicine with its unit."""
    number = source.pick((5, 10, 20, 25, 50, 75, 100, 200, 250, 400, 500, 600, 800))
    return Value(f"{number}{source.pick((' mg', 'mg', ' mg', ' ml', ' drops'))}")
