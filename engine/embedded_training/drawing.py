"""Values that go together: what is drawn for one text does not contradict itself."""

from collections.abc import Iterable, Mapping

from embedded_training.quantities import day_after, day_before
from embedded_training.randomness import Source, Value
from embedded_training.tables import concepts


def draw_value(source: Source, name: str, drawn: Mapping[str, Value]) -> Value:
    """Return a new value of a concept; a day is later than those of the text that it follows."""
    concept = concepts()[name]
    days = {other: value.date for other, value in drawn.items() if value.date}
    earlier = [day for other, day in days.items() if other in concept.follows]
    later = [day for other, day in days.items() if name in concepts()[other].follows]
    if earlier:
        return day_after(source, max(earlier))
    return day_before(source, min(later)) if later else concept.make(source)


def draw_values(source: Source, names: Iterable[str]) -> dict[str, Value]:
    """Return new values of several concepts."""
    drawn: dict[str, Value] = {}
    for name in names:
        drawn[name] = draw_value(source, name, drawn)
    return drawn
