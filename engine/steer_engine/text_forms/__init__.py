"""What an answer may look like that is no JSON: a pattern, a list of choices, a grammar.

Read in this order: `forms` -> `lark` -> `expressions` -> `whole_pattern` -> `gbnf` -> `lark_writer`
(over `rules` and `lexing`) -> `lark_rules`. Every form becomes one grammar in llguidance's dialect
of Lark.
"""

from steer_engine.text_forms.forms import (
    Choices,
    GbnfGrammar,
    LarkGrammar,
    Regex,
    TextForm,
    read_grammar,
)
from steer_engine.text_forms.lark import lark_of

__all__ = [
    "Choices",
    "GbnfGrammar",
    "LarkGrammar",
    "Regex",
    "TextForm",
    "lark_of",
    "read_grammar",
]
