"""The guard: judges a JSON value by a schema while it is being written.

Read in this order: `verdict` -> `values` -> `position` -> `reader` (over `spelling`, `distinct`) ->
`question` -> `compiler` -> the keywords (`scalars` over `numerals`, `constants`, `arrays`,
`objects`, `applicators`, `unevaluated`) -> `states`, and for the schema of what is still to be
written `draft` -> `decisions` -> `members` -> `obligations` -> `remainders` -> `ordering` ->
`residual` (over `anchoring`).
"""

from steer_engine.guard.residual import Specialiser, specialised
from steer_engine.guard.states import Guard, GuardState, Violation
from steer_engine.guard.values import PartialValue, exact_number
from steer_engine.guard.verdict import Verdict

__all__ = [
    "Guard",
    "GuardState",
    "PartialValue",
    "Specialiser",
    "Verdict",
    "Violation",
    "exact_number",
    "specialised",
]
