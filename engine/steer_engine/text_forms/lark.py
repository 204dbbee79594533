"""A text form as a grammar in llguidance's dialect of Lark."""

from __future__ import annotations

import re
from functools import lru_cache

from steer_engine.errors import SchemaError, UnsatisfiableError
from steer_engine.text_forms.expressions import escaped
from steer_engine.text_forms.forms import Choices, GbnfGrammar, LarkGrammar, Regex, TextForm
from steer_engine.text_forms.gbnf import ROOT, read_gbnf
from steer_engine.text_forms.lark_rules import endless_rules
from steer_engine.text_forms.lark_writer import written_expression, written_rules
from steer_engine.text_forms.whole_pattern import whole_pattern

# What a terminal leaves over in a Lark grammar, where `<` can only begin a control token.
_QUIET = re.compile(r'"(?:\\.|[^"\\\n])*"|/(?![/*])(?:\\.|[^/\\\n])+/|//[^\n]*|#[^\n]*')
_REFUSED = (
    (re.compile(r"<[^>\n]*>"), "control tokens cannot be part of an answer"),
    (re.compile(r"\btemperature\s*="), "the temperature is set for the whole answer"),
    (re.compile(r"\bmax_tokens\s*="), "cutting a rule off would break it"),
    (re.compile(r"\bstop\s*="), "text cannot be hidden once it is written; use suffix="),
    (re.compile(r"@\w"), "there are no other grammars to refer to"),
)


@lru_cache(maxsize=64)
def lark_of(form: TextForm) -> str:
    """Return the grammar of exactly the texts of `form`.

    Raises:
        SchemaError: it cannot be read, or not be enforced exactly.
        UnsatisfiableError: it, or a part of it, has no text.
    """
    match form:
        case Regex(pattern):
            return written_expression(whole_pattern(pattern))
        case Choices(options):
            return f"start: /(?:{'|'.join(map(escaped, options))})/\n"
        case LarkGrammar(text):
            return _checked_lark(text)
        case GbnfGrammar(text):
            return written_rules(read_gbnf(text), ROOT)


def _checked_lark(text: str) -> str:
    """Return a Lark grammar that has been looked through for what cannot be obeyed.

    Nothing is forced: the compiler would go on for ever where that does not end.
    """
    # Nothing moves: what the compiler says of lines and columns stays true.
    rest = _QUIET.sub(_blanked, text)
    for pattern, reason in _REFUSED:
        if found := pattern.search(rest):
            line = rest.count("\n", 0, found.start()) + 1
            raise SchemaError(f"Lark: {found[0]} on line {line} cannot be obeyed: {reason}")
    if endless := endless_rules(rest):
        raise UnsatisfiableError(f"Lark: no finite text matches the rule {endless[0]}")
    return f'{text}\n%llguidance {{"no_forcing": true}}\n'


def _blanked(quiet: re.Match[str]) -> str:
    """Return blanks of the same length; what is no comment leaves a mark."""
    is_comment = quiet[0].startswith(("#", "//"))
    return " " * len(quiet[0]) if is_comment else f'"{" " * (len(quiet[0]) - 1)}'
