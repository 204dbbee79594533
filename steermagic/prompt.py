r"""`{{ expression }}` in a prompt: evaluated once, inserted as data, never scanned again.

``{{ schema }}`` is reserved: the schema is told to the model at that place. ``\{{`` is a literal
``{{``.
"""

from __future__ import annotations

import builtins
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any

from steer_engine import SCHEMA_PLACE
from steermagic.errors import InterpolationError, did_you_mean

_OPEN = re.compile(r"\\\{\{|\{\{")


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between two pairs of braces, compiled."""

    source: str
    code: CodeType

    def evaluate(self, namespace: Mapping[str, object]) -> object:
        """Return its value.

        Raises:
            InterpolationError: it names what is not there, or raises.
        """
        return _evaluate(self.source, self.code, namespace)


class FilledPrompt(str):
    """A prompt whose expressions are filled in.

    `inputs` are the values of the expressions as they stand in it, each with the expression.
    """

    __slots__ = ("inputs",)
    inputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A prompt that has been read: text and expressions, in order."""

    parts: tuple[str | Expression, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names that the expressions use."""
        codes = (part.code for part in self.parts if isinstance(part, Expression))
        return frozenset(name for code in codes for name in _names(code))

    def fill(self, namespace: Mapping[str, object]) -> FilledPrompt:
        """Return the prompt with its expressions replaced by their values in `namespace`.

        Raises:
            InterpolationError: an expression raises, or its value is code; or nothing is left to
                ask.
        """
        filled = [
            ("", part) if isinstance(part, str) else (part.source, _filled(part, namespace))
            for part in self.parts
        ]
        prompt = FilledPrompt("".join(text for _, text in filled))
        prompt.inputs = tuple((source, text) for source, text in filled if source)
        if not prompt.strip():
            raise InterpolationError("the prompt is empty once its {{ expressions }} are filled in")
        return prompt


def read_template(template: str) -> PromptTemplate:
    """Read the expressions in `template`.

    Raises:
        InterpolationError: one of them cannot be read.
    """
    return PromptTemplate(tuple(_parts(template)))


def interpolate(template: str, namespace: Mapping[str, object]) -> FilledPrompt:
    """Return `template` with its expressions replaced by their values in `namespace`.

    Raises:
        InterpolationError: an expression cannot be read, raises, or its value is code; or nothing
            is left to ask.
    """
    return read_template(template).fill(namespace)


def evaluate(source: str, namespace: Mapping[str, object]) -> object:
    """Return the value of a Python expression in the user's `namespace`.

    Raises:
        InterpolationError: it cannot be read, or raises.
    """
    try:
        code = compile(f"({source}\n)", "<option>", "eval")
    except (SyntaxError, ValueError) as error:
        raise InterpolationError(f"{source!r} is not a Python expression: {error}") from None
    return _evaluate(source, code, namespace)


def user_names(namespace: Mapping[str, object]) -> Iterator[str]:
    """Yield the names that a user may have meant: no private ones, and none of Python's own."""
    return (name for name in namespace if name[:1] != "_" and not hasattr(builtins, name))


def _parts(template: str) -> Iterator[str | Expression]:
    position = 0
    while match := _OPEN.search(template, position):
        yield template[position : match.start()]
        if match[0].startswith("\\"):
            yield "{{"
            position = match.end()
            continue
        source, code, position = _read_expression(template, match.end())
        yield SCHEMA_PLACE if source == "schema" else Expression(source, code)
    yield template[position:]


def _read_expression(template: str, start: int) -> tuple[str, CodeType, int]:
    """Return the expression at `start`, compiled, and where the text after its ``}}`` begins."""
    following = _OPEN.search(template, start)
    limit = following.start() if following else len(template)
    end = template.find("}}", start, limit)
    if end < 0:
        line = template.count("\n", 0, start) + 1
        raise InterpolationError(
            f"'{{{{' is never closed (line {line} of the prompt);"
            " write '\\{{' where the braces are meant"
        )
    first = template[start:end].strip()
    problem = "nothing stands between them"
    while first and end >= 0:
        source = template[start:end].strip()
        try:
            # Inside brackets an expression may go over several lines.
            return source, compile(f"({source}\n)", "<prompt>", "eval"), end + 2
        except (SyntaxError, ValueError) as error:
            problem = str(getattr(error, "msg", error))
        # "}}" may also end a dict inside a dict: the expression ends where it can be read.
        end = template.find("}}", end + 1, limit)
    raise InterpolationError(
        f"{_shown(first)} is not a Python expression: {problem};"
        " write '\\{{' where the braces are meant"
    )


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names in `code`, those inside a lambda or a comprehension included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _evaluate(source: str, code: CodeType, namespace: Mapping[str, object]) -> object:
    try:
        # A copy: an expression cannot leave names behind in the user's namespace.
        return eval(code, dict(namespace))  # noqa: S307 - it is the user's own code
    except NameError as error:
        if error.name not in code.co_names:
            raise _raised(source, error) from error
        close = did_you_mean(str(error.name), user_names(namespace))
        raise InterpolationError(
            f"{_shown(source)}: there is no variable {error.name!r}{close}", undefined=error.name
        ) from None
    except Exception as error:
        raise _raised(source, error) from error


def _raised(source: str, error: Exception) -> InterpolationError:
    message = " ".join(str(error).split())[:200]
    reason = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return InterpolationError(f"{_shown(source)} raised {reason}")


def _shown(source: str) -> str:
    line = " ".join(source.split())
    shown = line if len(line) <= 60 else f"{line[:59]}…"
    return f"{{{{ {shown} }}}}" if shown else "{{ }}"


def _filled(part: Expression, namespace: Mapping[str, object]) -> str:
    value, source = part.evaluate(namespace), part.source
    kind = _kind_of_code(value)
    if not kind:
        return _as_text(value)
    others = (name for name in user_names(namespace) if name != source)
    meant = next((name for name in others if name.lower() == source.lower()), "")
    is_pythons = source not in namespace and hasattr(builtins, source)
    raise InterpolationError(
        f"{_shown(source)} is {kind}, which is no text for a prompt"
        + (f"; did you mean {meant!r}?" if meant else ""),
        undefined=source if is_pythons else None,
    )


def _kind_of_code(value: object) -> str:
    """Return what `value` is if it is code, whose text no prompt means; else nothing."""
    if isinstance(value, ModuleType):
        return "a module"
    if isinstance(value, type):
        return "a class"
    return "a function" if inspect.isroutine(value) else ""


def _as_text(value: object) -> str:
    text = _in_full(value)
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text


def _in_full(value: Any) -> str:  # noqa: ANN401 - whatever the user has
    """Return the text of `value`, whole: a model has to see what a screen has no room for."""
    library = type(value).__module__.partition(".")[0]
    if library == "pandas":
        return _pandas_text(value)
    if library == "polars":
        import polars as pl

        with pl.Config(
            tbl_rows=-1,
            tbl_cols=-1,
            tbl_width_chars=-1,
            fmt_str_lengths=sys.maxsize,
            fmt_table_cell_list_len=-1,
        ):
            return str(value)
    if library == "numpy":
        import numpy as np

        with np.printoptions(threshold=sys.maxsize):
            return str(value)
    to_pylist = getattr(value, "to_pylist", None) if library == "pyarrow" else None
    return str(value if to_pylist is None else to_pylist())


def _pandas_text(value: Any) -> str:  # noqa: ANN401 - anything that pandas has
    import pandas as pd

    if isinstance(value, pd.Categorical):
        value = pd.Series(value)  # alone it shows ten values at most
    with pd.option_context("display.max_colwidth", None, "display.max_seq_items", None):
        return str(value.to_string() if hasattr(value, "to_string") else value)
