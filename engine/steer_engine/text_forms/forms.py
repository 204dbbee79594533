"""The forms as values, and what a model is told of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from steer_engine.errors import SchemaError

_MAX_TOLD = 200  # choices; a longer list would crowd out the prompt
_GBNF_RULE = re.compile(r"(?m)^[ \t]*[\w-]+[ \t]*::=")


@dataclass(frozen=True, slots=True)
class Regex:
    """The whole answer matches `pattern`, a regular expression as in JSON Schema (ECMA-262).

    Anchors at its ends are allowed and change nothing.
    """

    pattern: str

    @property
    def instruction(self) -> str:
        """What the model is told."""
        return f"Answer with text of this form (a regular expression):\n{self.pattern}"


@dataclass(frozen=True, slots=True)
class Choices:
    """The answer is one of `options`; what stands there twice counts once.

    Raises:
        SchemaError: there is none, or one cannot be written.
    """

    options: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise SchemaError("there are no choices; give at least one")
        for option in self.options:
            if not isinstance(option, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise SchemaError(
                    f"choices are texts, and {option!r} is {type(option).__name__};"
                    " for numbers use a schema: answer: 1 | 2"
                )
            if not _is_text(option):
                raise SchemaError(f"the choice {option!r} has half a character (a lone surrogate)")
        object.__setattr__(self, "options", tuple(dict.fromkeys(self.options)))

    @property
    def instruction(self) -> str:
        """What the model is told."""
        if len(self.options) > _MAX_TOLD:
            shown = "\n".join(self.options[:_MAX_TOLD])
            return f"Answer with one name of a list of {len(self.options)}, such as:\n{shown}"
        listed = "\n".join(self.options)
        return f"Answer with exactly one of these lines:\n{listed}"


@dataclass(frozen=True, slots=True)
class LarkGrammar:
    """The answer is a text of a grammar in llguidance's dialect of Lark.

    Its terminals take the longest text they can, as in every language with a lexer.
    """

    text: str

    @property
    def instruction(self) -> str:
        """What the model is told."""
        return f"Answer with text of this grammar (Lark):\n{self.text.strip()}"


@dataclass(frozen=True, slots=True)
class GbnfGrammar:
    """The answer is a text of a grammar in llama.cpp's notation; its first rule is `root`."""

    text: str

    @property
    def instruction(self) -> str:
        """What the model is told."""
        return f"Answer with text of this grammar (GBNF):\n{self.text.strip()}"


TextForm: TypeAlias = Regex | Choices | LarkGrammar | GbnfGrammar


def read_grammar(text: str) -> LarkGrammar | GbnfGrammar:
    """Return the grammar that `text` is: GBNF defines its rules with ``::=``, Lark with ``:``."""
    return GbnfGrammar(text) if _GBNF_RULE.search(text) else LarkGrammar(text)


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
