"""The options of `%%steer`: one table says how each is spelled, read and explained."""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from steer_engine import MAX_TOKENS, Sampling
from steermagic.errors import OptionError, did_you_mean

FORMATS = ("pandas", "polars", "arrow", "dict", "json", "model")
"""What `--as` can ask for; the first three are tables."""

TABLES = FORMATS[:3]

VIEWS = ("auto", "live", "static", "off")

FORMS = ("regex", "choices", "grammar")
"""The options that ask for a text instead of JSON."""

THOUGHTS = 256
"""Budget of `--think` where none is given, in tokens."""


@dataclass(frozen=True, slots=True)
class SteerOptions:
    """What a cell asks for besides its schema and prompt.

    Raises:
        OptionError: two options contradict each other, or a value is out of range.
    """

    out: str | None = None
    model: str | None = None
    over: str | None = None
    many: bool = False
    any_order: bool = False
    rows: str | None = None
    as_: str = "pandas"
    temperature: float = 0.0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0
    max_tokens: int = MAX_TOKENS
    min_confidence: float = 0.0
    think: int = 0
    regex: str | None = None
    choices: str | None = None
    grammar: str | None = None
    system: str | None = None
    view: str = "auto"
    cache: bool = False
    fresh: bool = False
    strict: bool = False
    trace: bool = False
    store: str | None = None
    isolate: bool = True
    unsteered: bool = False
    dry_run: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        if self.as_ not in FORMATS:
            raise OptionError(f"{self.as_!r} is not a form of result; use {_listed(FORMATS)}")
        if self.rows is not None and self.as_ not in TABLES:
            raise OptionError(f"--rows makes table rows, which --as {self.as_} has none of")
        if self.unsteered and (self.rows is not None or self.as_ != "pandas"):
            raise OptionError("--unsteered gives plain text, which --rows and --as cannot shape")
        if self.over is not None and self.unsteered:
            raise OptionError("--unsteered is for one prompt; leave --over out")
        if self.cache and self.fresh:
            raise OptionError("--cache reuses answers and --fresh reuses none; leave one out")
        if self.max_tokens < 1:
            raise OptionError(f"max_tokens must be 1 or more, not {self.max_tokens}")
        check_confidence(self.min_confidence, name="min_confidence")
        self._check_form()

    def _check_form(self) -> None:
        if self.think < 0:
            raise OptionError(f"think must be 0 or more tokens, not {self.think}")
        if self.think and self.unsteered:
            raise OptionError("--unsteered leaves the model free from the start; leave --think out")
        forms = [name for name in FORMS if getattr(self, name) is not None]
        if len(forms) > 1:
            raise OptionError(
                f"--{forms[0]} and --{forms[1]} both say what the answer is; leave one out"
            )
        for name in ("many", "any_order", "rows", "unsteered"):
            if forms and getattr(self, name):
                flag = name.replace("_", "-")
                raise OptionError(
                    f"--{flag} is for answers that are JSON; --{forms[0]} gives one text a prompt"
                )

    @property
    def form(self) -> str | None:
        """The option that says which text the answer is; None where a schema says what it is."""
        return next((name for name in FORMS if getattr(self, name) is not None), None)

    @property
    def sampling(self) -> Sampling:
        """How tokens are picked."""
        return Sampling(
            temperature=self.temperature, top_p=self.top_p, min_p=self.min_p, seed=self.seed
        )


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table: its name in `SteerOptions`, its spellings, and its help.

    `read` parses the value and is None for a switch. `bare` is the value of an option that is given
    without one. A setting can also be given outside a cell.
    """

    name: str
    flags: tuple[str, ...]
    read: Callable[[str], object] | None
    example: str
    help: str
    is_setting: bool = field(default=False, kw_only=True)
    bare: str | None = field(default=None, kw_only=True)


def check_confidence(value: float, *, name: str) -> None:
    """Raise `OptionError` if `value` is no probability; `name` is what the message calls it."""
    if not 0 <= value <= 1:
        raise OptionError(f"{name} must be from 0 to 1, not {value:g}")


def read_options(values: Mapping[str, str], settings: Mapping[str, object]) -> SteerOptions:
    """Return the options of one cell: `values` by flag from its line, over `settings` by name."""
    given = {
        option.name: True if option.read is None else _read(flag, option.read, text)
        for flag, text in values.items()
        for option in (option_of(flag),)
    }
    return SteerOptions(**{**settings, **given})  # type: ignore[arg-type] # read by the table


def call_options(given: Mapping[str, object], settings: Mapping[str, object]) -> SteerOptions:
    """Return the options of one call: what is `given` by name and not None, over `settings`.

    Raises:
        OptionError: a value is not what its option takes.
    """
    read: dict[str, object] = {}
    for name, value in given.items():
        reader = _BY_NAME[name].read
        if value is not None:
            read[name] = bool(value) if reader is None else _read(name, reader, _text(value))
    return SteerOptions(**{**settings, **read})  # type: ignore[arg-type] # read by the table


def option_of(flag: str) -> Option:
    """Return the option that is spelled `flag`.

    Raises:
        OptionError: there is none; the message suggests the closest.
    """
    option = _BY_FLAG.get(flag)
    if option is not None:
        return option
    # Editors turn two hyphens into a dash.
    close = _closest(re.sub("^[–—]+", "--", flag))
    raise OptionError(f"unknown option {flag}{close}")


def is_option(word: str) -> bool:
    """Tell whether `word` is spelled like an option that there is."""
    return word in _BY_FLAG


def read_setting(name: str, text: str, *, where: str) -> object:
    """Return the value of the setting `name`, given as `text` in `where`.

    Raises:
        OptionError: there is no such setting, or it cannot have this value.
    """
    option = SETTINGS.get(name)
    if option is None:
        raise OptionError(f"unknown setting {name!r} in {where}{did_you_mean(name, SETTINGS)}")
    return _read(f"{name} in {where}", option.read or str, text)


def _read(name: str, read: Callable[[str], object], text: str) -> object:
    try:
        return read(text)
    except ValueError as error:
        raise OptionError(f"{name} {error}") from None


def _text(value: object) -> str:
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def _closest(flag: str) -> str:
    return did_you_mean(flag, _BY_FLAG) or "; %steer help lists them all"


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _variable(text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise ValueError(f"needs a variable name, and {text!r} cannot be one")
    return text


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be {_listed(words)}, not {text!r}")
        return text

    return read


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"must be a number, not {text!r}") from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"must be a whole number, not {text!r}") from None


def _switch(text: str) -> bool:
    state = _STATES.get(text.lower())
    if state is None:
        raise ValueError(f"must be on or off, not {text!r}")
    return state


_STATES = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}

OPTIONS = (
    Option("out", ("-o", "--out"), _variable, "VAR", "store the result in VAR and show it"),
    Option(
        "model",
        ("-m", "--model"),
        str,
        "MODEL",
        "a path, owner/repo, ollama:name, http://host:port#name, an alias, embedded",
        is_setting=True,
    ),
    Option(
        "over",
        ("--over",),
        str,
        "DATA",
        "a table, list or iterator: one prompt a row, {{ column }} in it",
    ),
    Option("many", ("--many",), None, "", "ask for a list: one row an item"),
    Option(
        "any_order",
        ("--any-order",),
        None,
        "",
        "let the model write an object's properties in any order",
    ),
    Option("rows", ("--rows",), str, "PATH", "one row an item of the list at PATH"),
    Option("as_", ("--as",), _one_of(FORMATS), "FORM", f"the result as {_listed(FORMATS)}"),
    Option(
        "temperature",
        ("--temperature",),
        _number,
        "T",
        "0 is greedy (the default)",
        is_setting=True,
    ),
    Option(
        "top_p",
        ("--top-p",),
        _number,
        "P",
        "sample from the likeliest tokens only",
        is_setting=True,
    ),
    Option(
        "min_p", ("--min-p",), _number, "P", "drop tokens much rarer than the best", is_setting=True
    ),
    Option("seed", ("--seed",), _whole, "N", "equal seeds draw equal answers", is_setting=True),
    Option(
        "max_tokens",
        ("--max-tokens",),
        _whole,
        "N",
        f"budget of the answer ({MAX_TOKENS})",
        is_setting=True,
    ),
    Option(
        "min_confidence",
        ("--min-confidence",),
        _number,
        "P",
        "mark rows with a value below: df.steer.doubtful",
        is_setting=True,
    ),
    Option(
        "think",
        ("--think",),
        _whole,
        "[N]",
        f"let the model think before it answers, in N tokens ({THOUGHTS})",
        bare=str(THOUGHTS),
    ),
    Option("regex", ("--regex",), str, '"R"', "instead of a schema: text that R matches"),
    Option("choices", ("--choices",), str, "A,B", "one of these, or of a list in your notebook"),
    Option("grammar", ("--grammar",), str, "NAME", "text of a grammar: a variable, .lark or .gbnf"),
    Option("system", ("--system",), str, '"TEXT"', "instructions ahead of the schema"),
    Option(
        "view", ("--view",), _one_of(VIEWS), "VIEW", "auto, live, static or off", is_setting=True
    ),
    Option("cache", ("--cache",), None, "", "reuse the stored answers to equal prompts"),
    Option("fresh", ("--fresh",), None, "", "reuse nothing, not even of a run that was broken off"),
    Option("strict", ("--strict",), None, "", "stop at the first row that fails"),
    Option("trace", ("--trace",), None, "", "store the tokens as well, for %steer view later on"),
    Option(
        "store",
        ("--store",),
        str,
        "PATH",
        "where rows are stored; off keeps them in memory",
        is_setting=True,
    ),
    Option(
        "isolate",
        (),  # a model that is loaded stays where it is
        _switch,
        "on|off",
        "on: models are loaded in a process of their own, whose death leaves the notebook alone",
        is_setting=True,
    ),
    Option("unsteered", ("--unsteered",), None, "", "do not steer, to see what steering is for"),
    Option("dry_run", ("--dry-run",), None, "", "show what the model would read; run nothing"),
    Option("quiet", ("--quiet",), None, "", "show nothing"),
)

SETTINGS = {option.name: option for option in OPTIONS if option.is_setting}
"""The options that can be given outside a cell, by name."""

_BY_NAME = {option.name: option for option in OPTIONS}
_BY_FLAG = {flag: option for option in OPTIONS for flag in option.flags}
