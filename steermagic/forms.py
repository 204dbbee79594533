"""`--regex`, `--choices` and `--grammar`: answers that are a text instead of JSON."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from steer_engine import (
    Choices,
    GbnfGrammar,
    JsonValue,
    LarkGrammar,
    Regex,
    SchemaError,
    TextForm,
    in_any_order,
    read_grammar,
    read_schema,
)
from steermagic.cell import SchemaText
from steermagic.errors import OptionError, did_you_mean
from steermagic.options import SteerOptions
from steermagic.paths import user_path
from steermagic.prompt import evaluate
from steermagic.schemas import FoundSchema, find_schema, read_source

ANSWER = "answer"
"""The one column of a table of texts."""

_BRACKETS = (("[", "]"), ("(", ")"), ("{", "}"))
_GRAMMARS: Mapping[str, type[GbnfGrammar | LarkGrammar]] = {
    ".gbnf": GbnfGrammar,
    ".lark": LarkGrammar,
}


def find_answer(
    written: SchemaText | None, options: SteerOptions, namespace: Mapping[str, object]
) -> FoundSchema:
    """Return what answers look like: the form that `options` ask for, or the schema `written`.

    Raises:
        SchemaError: it cannot be found or read.
        InterpolationError: an expression that should give it fails.
    """
    form = find_form(options, namespace)
    if form is not None:
        return found_form(form)
    if written is None:
        raise SchemaError("there is no schema; write one, or name it")
    found = find_schema(written, namespace, many=options.many)
    return replace(found, schema=in_any_order(found.schema)) if options.any_order else found


def find_form(options: SteerOptions, namespace: Mapping[str, object]) -> TextForm | None:
    """Return the form that `options` ask for, if they ask for one.

    Raises:
        OptionError: one of the choices is empty.
        SchemaError: it cannot be found, or is none.
        InterpolationError: an expression that should give it fails.
    """
    if options.regex is not None:
        return Regex(options.regex)
    if options.choices is not None:
        listed = _listed(options.choices)
        return Choices(listed) if listed else choices_of(evaluate(options.choices, namespace))
    if options.grammar is not None:
        if Path(options.grammar).suffix in _GRAMMARS:
            return _read_file(Path(options.grammar))
        return grammar_of(evaluate(options.grammar, namespace))
    return None


def _listed(text: str) -> tuple[str, ...]:
    """Return the choices that stand in `text` with commas between; none if it is an expression."""
    parts = tuple(part.strip() for part in text.split(","))
    in_brackets = any(part.count(a) != part.count(b) for part in parts for a, b in _BRACKETS)
    if len(parts) == 1 or in_brackets or parts[0].startswith(("'", '"')):
        return ()
    if "" in parts:
        raise OptionError(
            f"--choices {text} has an empty choice; write --choices a,b or, with blanks,"
            ' --choices "a, b"'
        )
    return parts


def read_answer(
    schema: object, *, regex: str | None, choices: object, grammar: object, many: bool
) -> FoundSchema:
    """Return what answers look like, from Python objects of which exactly one is given.

    Raises:
        OptionError: none is given, or a schema and a form.
        SchemaError: it cannot be read.
    """
    named = {"schema": schema, "regex": regex, "choices": choices, "grammar": grammar}
    given = [name for name, value in named.items() if value is not None]
    if len(given) != 1:
        raise OptionError(f"give one of {', '.join(named)}, not {' and '.join(given) or 'none'}")
    if regex is not None:
        return found_form(Regex(regex))
    if choices is not None:
        return found_form(choices_of(choices))
    return read_source(schema, many=many) if grammar is None else found_form(grammar_of(grammar))


def choices_of(source: object) -> Choices:
    """Return the choices that a list, a column, an array, a dict's keys or an enumeration are.

    Raises:
        SchemaError: it is none of these, or its members are no texts.
    """
    if hasattr(type(source), "columns"):  # a table, of any library
        raise SchemaError(
            f"choices are a list of texts, not a {type(source).__name__}; give one of its columns"
        )
    # Arrays have members of their own types; as a list they have Python's.
    to_list = getattr(source, "to_pylist", None) or getattr(source, "tolist", None)
    members: object = source if to_list is None else to_list()
    if isinstance(members, str) or not isinstance(members, Iterable):
        raise SchemaError(f"choices are a list of texts, not {type(source).__name__}")
    if isinstance(source, set | frozenset):
        members = sorted(source, key=str)  # a set's own order changes from run to run
    values = (each.value if isinstance(each, enum.Enum) else each for each in members)
    return Choices(tuple(values))


def grammar_of(source: object) -> TextForm:
    """Return the grammar that a text is, or the .lark or .gbnf file that a path names.

    Raises:
        SchemaError: it is neither, or the file cannot be read.
    """
    if isinstance(source, Path) or (isinstance(source, str) and _is_path(source)):
        return _read_file(Path(source))
    if not isinstance(source, str):
        raise SchemaError(f"a grammar is a text (Lark or GBNF), not {type(source).__name__}")
    return read_grammar(source)


def found_form(form: TextForm) -> FoundSchema:
    """Return `form` with the schema of its table, which has one column."""
    column: dict[str, JsonValue] = {"type": "string"}
    if isinstance(form, Choices):
        column["enum"] = list(form.options)
    document: dict[str, JsonValue] = {
        "type": "object",
        "properties": {ANSWER: column},
        "required": [ANSWER],
        "additionalProperties": False,
    }
    return FoundSchema(read_schema(document), form=form)


def _is_path(text: str) -> bool:
    return "\n" not in text and text.endswith(tuple(_GRAMMARS))


def _read_file(path: Path) -> TextForm:
    path = user_path(path, SchemaError)
    form = _GRAMMARS.get(path.suffix)
    if form is None:
        raise SchemaError(f"{path}: grammars are read from .lark and .gbnf files")
    if not path.is_file():
        siblings = path.parent.glob(f"*{path.suffix}") if path.parent.is_dir() else ()
        close = did_you_mean(path.name, (sibling.name for sibling in siblings))
        raise SchemaError(f"there is no grammar file {path}{close}")
    try:
        return form(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path} cannot be read: {error}") from error
