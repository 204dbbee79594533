"""What could stand at the place of completion that `completion` has found.

Each function gets the text there, up to the cursor, and returns what goes on with it.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from steer_engine import TYPE_WORDS
from steermagic.candidates import (
    Kind,
    columns_of,
    is_list_of_choices,
    is_schema,
    is_table,
    is_text,
    names_of,
)
from steermagic.options import FORMATS, VIEWS, Option
from steermagic.over import ROW
from steermagic.prompt import user_names
from steermagic.runs import Run

_QUOTED = re.compile(r"""(["'])(?:(?!\1)[^\\]|\\.)*\1""", re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s)#")
_TYPE = re.compile(
    r"(?:\w\??\s*:|\||\b(?:list|List|Optional|Union)\[|\b[dD]ict\[\s*str\s*,)\s*(\w*)$"
)
_ROW_KEY = re.compile(rf"""\b{ROW}\[\s*(["'])((?:(?!\1).)*)$""")

_WORDS: Mapping[str, Iterable[str]] = {"as_": FORMATS, "view": VIEWS}
_KINDS: Mapping[str, Kind] = {
    "over": is_table,
    "choices": is_list_of_choices,
    "grammar": is_text,
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What could stand in place of `fragment`, which is the text right before the cursor."""

    fragment: str = ""
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What there is to name: the user's variables, models with all names of each, and runs.

    `run_ids` is told whether only runs count that can be gone on with.
    """

    namespace: Mapping[str, object]
    models: Callable[[], Iterable[tuple[str, ...]]]
    find_run: Callable[[str], Run | None]
    run_ids: Callable[[bool], Iterable[str]]


def matching(word: str, texts: Iterable[str]) -> Offer:
    """Return those of `texts` that begin with `word`; where none does, in upper or lower case."""
    known = list(dict.fromkeys(texts))
    found = [text for text in known if text.startswith(word)]
    begun = word.casefold()
    return Offer(
        word, tuple(found or (text for text in known if text.casefold().startswith(begun)))
    )


def values(option: Option, word: str, scope: Scope) -> Offer:
    """Return the values that `option` could have."""
    if option.name == "model":
        return models(word, scope)
    kind = _KINDS.get(option.name)
    if kind is None:
        return matching(word, _WORDS.get(option.name, ()))
    files = _files(word, ".gbnf", ".lark") if option.name == "grammar" else []
    return matching(word, [*names_of(kind, scope.namespace), *files])


def models(word: str, scope: Scope) -> Offer:
    """Return the models that could be meant: of each the longest name that begins with `word`."""
    begun = word.casefold()
    names = (
        next((name for name in model if name.casefold().startswith(begun)), None)
        for model in scope.models()
    )
    return matching(word, [*filter(None, names), *_files(word, ".gguf")])


def schemas(word: str, scope: Scope) -> list[str]:
    """Return what can be named where a schema stands."""
    return [*names_of(is_schema, scope.namespace), *_files(word, ".json")]


def types(text: str) -> Offer | None:
    """Return the types that could go on with fields in compact notation; None elsewhere."""
    bare = _QUOTED.sub("x", text)
    place = _TYPE.search(bare)
    if place is None or _COMMENT.search(bare) or _is_quoted(bare):
        return None
    return matching(place[1], TYPE_WORDS)


def expressions(text: str, over: str | None, scope: Scope) -> Offer:
    """Return what could go on with an expression in a prompt for the rows of the table `over`."""
    columns = columns_of(scope.namespace.get(over)) if over else []
    if over and (key := _ROW_KEY.search(text)):
        return matching(key[2], columns)
    word = re.split(r"\W", text)[-1]
    if _is_quoted(_QUOTED.sub("", text)) or text.removesuffix(word).endswith("."):
        return Offer()  # IPython knows about keys and attributes
    names = [name for name in columns if name.isidentifier()] + [ROW] * bool(over)
    names += sorted(scope.namespace if word[:1] == "_" else user_names(scope.namespace))
    return matching(word, [*names, "schema", *(dir(builtins) if word else [])])


def _files(word: str, *suffixes: str) -> list[str]:
    """Return the files of these kinds in the folder that `word` begins with, and its folders."""
    folder = word[: word.rfind("/") + 1]
    try:
        paths = [
            (path.name, bool(folder) and path.is_dir())
            for path in Path(folder).expanduser().iterdir()
        ]
    except (OSError, RuntimeError, ValueError):
        return []  # no such folder, no such user, or no path at all
    files = sorted(name for name, _ in paths if name.endswith(suffixes))
    folders = sorted(f"{name}/" for name, is_folder in paths if is_folder)
    return [f"{folder}{name}" for name in (*files, *folders) if name[0] != "."]


def _is_quoted(bare: str) -> bool:
    """Tell whether a quote is open at the end of a text whose closed ones are taken out."""
    return '"' in bare or "'" in bare
