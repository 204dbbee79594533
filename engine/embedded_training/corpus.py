"""The training corpus: random texts, schemas that ask about them, and the right answers.

`example(seed)` always returns the same example for one seed. There is no file of data: a training
run draws new examples until it ends.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from embedded_training.asking import Example
from embedded_training.choice_examples import choice_example
from embedded_training.randomness import HeldOut, Source
from embedded_training.row_examples import rows_example, table_example
from embedded_training.schemas import all_verbatim
from embedded_training.sheet_examples import sheet_example
from embedded_training.single_examples import copying_example, labelled_example, single_example
from embedded_training.situation_examples import facts_example, situation_example
from embedded_training.sorting_examples import sorting_example

P_ALL_VERBATIM = 0.12
"""Who wants one text copied letter by letter wants it of all others too, mostly."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """How often each sort of example is drawn; the shares add up to 1."""

    situation: float
    facts: float
    labelled: float
    copying: float
    single: float
    rows: float
    table: float
    sheet: float
    choice: float
    sorting: float


MAIN = Mixture(
    situation=0.4,
    facts=0.15,
    labelled=0.015,
    copying=0.005,
    single=0.085,
    rows=0.045,
    table=0.04,
    sheet=0.02,
    choice=0.15,
    sorting=0.09,
)


ONLY_DOMAINS = Mixture(
    situation=0.6,
    facts=0.0,
    labelled=0.0,
    copying=0.0,
    single=0.18,
    rows=0.08,
    table=0.04,
    sheet=0.0,
    choice=0.06,
    sorting=0.04,
)
"""For held-out domains: only what is made of the texts of a domain."""


MAKERS: Mapping[str, Callable[[Source], Example]] = {
    "situation": situation_example,
    "facts": facts_example,
    "labelled": labelled_example,
    "copying": copying_example,
    "single": single_example,
    "rows": rows_example,
    "table": table_example,
    "sheet": sheet_example,
    "choice": choice_example,
    "sorting": sorting_example,
}
"""What makes the examples of each sort, by the fields of `Mixture`."""


def example(
    seed: int | str, *, held_out: HeldOut | None = None, mixture: Mixture = MAIN
) -> Example:
    """Return the example of a seed; `held_out` says which pools only evaluation may use."""
    source = Source.seeded(seed, held_out)
    if source.held_out.domains:
        mixture = ONLY_DOMAINS
    [sort] = source.rng.choices(list(MAKERS), [getattr(mixture, each) for each in MAKERS])
    made = replace(MAKERS[sort](source), sort=sort)
    if source.chance(P_ALL_VERBATIM):
        return replace(made, schema=all_verbatim(made.schema))
    return made
