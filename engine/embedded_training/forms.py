"""Forms: values behind labels, in the layouts of sheets, logs, mails and web pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from embedded_training.drawing import draw_values
from embedded_training.randomness import Source, Value
from embedded_training.tables import Domain, concepts

LABEL_LAYOUTS = (
    "LABEL: VALUE", "LABEL: VALUE", "LABEL - VALUE", "LABEL VALUE", "LABEL = VALUE",
    "the LABEL is VALUE", "LABEL is VALUE", "LABEL=VALUE", "LABEL:VALUE", "[LABEL] VALUE",
)  # fmt: skip
# A layout of a line and what stands between the lines.
LAYOUTS = (
    ("LABEL: VALUE", "\n"), ("LABEL: VALUE", "\n"), ("LABEL: VALUE", ", "), ("LABEL: VALUE", " | "),
    ("LABEL: VALUE", "; "), ("LABEL=VALUE", " "), ("LABEL = VALUE", "\n"), ("LABEL\nVALUE", "\n"),
    ("LABEL\tVALUE", "\n"), ("- LABEL: VALUE", "\n"), ("* LABEL - VALUE", "\n"),
    ("**LABEL:** VALUE", "\n"), ("- **LABEL**: VALUE", "\n"), ("| LABEL | VALUE |", "\n"),
    ("<b>LABEL:</b> VALUE", "<br>"), ("<td>LABEL</td><td>VALUE</td>", "\n"),
    ("<tag>VALUE</tag>", ""), ("<li>LABEL: VALUE</li>", "\n"), ('"LABEL": "VALUE"', ", "),
    ("LABEL ..... VALUE", "\n"), ("LABEL    VALUE", "\n"), ("LABEL -> VALUE", "\n"),
    ("[LABEL] VALUE", "\n"), ("LABEL:\n  VALUE", "\n"), ("VALUE (LABEL)", ", "),
    ("> LABEL: VALUE", "\n"), ("LABEL:VALUE", " "), ("LABEL – VALUE", "\n"),
    ("LABEL is VALUE", ". "),
)  # fmt: skip
HELD_OUT_LAYOUTS = (
    ("LABEL :: VALUE", "\n"), ("~ LABEL ~ VALUE", "\n"), ("LABEL >> VALUE", " "),
    ("VALUE <- LABEL", "\n"), ("(LABEL) VALUE", "; "),
)  # fmt: skip


LABEL_STYLES: tuple[Callable[[str], str], ...] = (str, str, str.lower, str.upper, str.title)


def label_of(source: Source, slot: str) -> str:
    """Return any name of a concept as a label in a text."""
    name = source.pick(concepts()[slot].naming.names).replace("_", " ")
    return source.pick((name, name.capitalize(), name.capitalize(), name.title(), name.upper()))


@dataclass(frozen=True, slots=True)
class Form:
    """A layout and the labels in it, for one passage or several alike."""

    layout: str
    separator: str
    labels: Mapping[str, str]
    """The label of each slot."""
    p_left_out: float

    def draw_values(self, source: Source) -> dict[str, Value]:
        """Return new values; one is left out now and then."""
        slots = list(self.labels)
        if len(slots) > 1 and source.chance(self.p_left_out):
            slots.remove(source.pick(slots))
        return draw_values(source, slots)

    def written(self, source: Source, values: Mapping[str, Value]) -> str:
        """Return the filled-in form; what is left out is not there or marked as empty."""
        show_empty = source.chance(0.4)
        lines = []
        for slot, label in self.labels.items():
            if slot in values or show_empty:
                text = (
                    values[slot].written if slot in values else source.pick(("-", "n/a", "", "?"))
                )
                line = self.layout.replace("tag", label.replace(" ", "_").lower())
                lines.append(line.replace("LABEL", label).replace("VALUE", text))
        return self.separator.join(lines)


def draw_form(source: Source, domain: Domain, *, short: bool) -> Form:
    """Return a form for some slots of a domain, no two with one label."""
    n_slots = min(len(domain.slots), source.between(2, 4 if short else 7))
    labels: dict[str, str] = {}
    for slot in source.rng.sample(domain.slots, n_slots):
        label = label_of(source, slot)
        if label.lower() not in {other.lower() for other in labels.values()}:
            labels[slot] = label
    style = source.pick(LABEL_STYLES)
    layouts = HELD_OUT_LAYOUTS if source.held_out.templates else LAYOUTS
    layout, separator = source.pick(layouts)
    styled = {slot: style(label) for slot, label in labels.items()}
    return Form(layout, separator, styled, p_left_out=0.2)
