"""Schema-steered structured output for notebooks.

``%load_ext steermagic`` gives a notebook the cell magic ``%%steer`` and the line magic ``%steer``;
`steer` does the same as a function. Everything heavy is imported when it is first used.

Read in this order: `magics` -> `cell` (with `line`, `options`) -> `job` (with `schemas`, `prompt`,
`over`, `tables`) -> `session` -> `ongoing` (with `store`) -> `runs` -> `results` -> `joining` ->
`frames` -> `display`; for the Tab key `completion` -> `offers` -> `candidates`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steermagic.version import __version__

if TYPE_CHECKING:
    import re
    from os import PathLike

    from IPython.core.interactiveshell import InteractiveShell

    from steermagic.widgets.editor import SchemaEditor
    from steermagic.widgets.playground import playground

__all__ = ["SchemaEditor", "__version__", "load_ipython_extension", "playground", "steer"]

_WIDGETS = {"SchemaEditor": "editor", "playground": "playground"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - one of the two above
    """Import what only a page needs when it is first named."""
    from importlib import import_module

    if name not in _WIDGETS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"steermagic.widgets.{_WIDGETS[name]}"), name)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register `%%steer` and `%steer`; IPython calls this for ``%load_ext steermagic``."""
    import sys

    from steermagic.completion import register_completion
    from steermagic.magics import SteerMagic
    from steermagic.session import shared_session

    session = shared_session()
    shell.register_magics(SteerMagic(shell, session))
    register_completion(shell, session)
    if "pandas" in sys.modules:  # else it comes with the first frame; pandas takes long to import
        session.give_frames_access()


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics and their completion out again; models and results stay where they are."""
    from steermagic.completion import unregister_completion

    unregister_completion(shell)
    for magics in shell.magics_manager.magics.values():
        magics.pop("steer", None)


def steer(
    prompt: str,
    schema: object = None,
    *,
    regex: str | re.Pattern[str] | None = None,
    choices: object = None,
    grammar: object = None,
    model: str | PathLike[str] | None = None,
    over: object = None,
    many: bool = False,
    rows: str | None = None,
    as_: str = "pandas",
    temperature: float | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    seed: int | None = None,
    max_tokens: int | None = None,
    min_confidence: float | None = None,
    think: int = 0,
    system: str | None = None,
    cache: bool = False,
    unsteered: bool = False,
    fresh: bool = False,
    strict: bool = False,
    trace: bool = False,
    store: str | PathLike[str] | None = None,
) -> Any:  # noqa: ANN401 - a DataFrame, unless `as_` asks for something else
    """Answer `prompt` in the form of `schema`; return what ``%%steer`` would.

    `schema` is compact notation or JSON Schema as text, the path of a .json file, a dict, or a
    Pydantic model, dataclass or TypedDict. `prompt` is taken as it is, ``{{ x }}`` included; only
    with `over`, a table of any library, a list or an iterator, ``{{ column }}`` stands for the
    value of each row, and the answers are joined to the rows.

    In place of a schema, `regex` asks for text of that form, `choices` for one of a list of texts,
    and `grammar` for text of a Lark or GBNF grammar (its text, or the path of a .lark or .gbnf
    file). `think` lets the model write that many tokens of free text before it answers.

    What is left None is as it is for a cell: as ``%steer use``, ``%config SteerMagic``, the
    environment (``STEERMAGIC_SEED``) or pyproject.toml say, else the embedded model, `temperature`
    0 (greedy), `top_p` 1, `min_p` 0, `seed` 0, `max_tokens` 1024 and `min_confidence` 0.

    ``df.steer.confidence`` tells how sure the model was of each value, and ``df.steer.doubtful``
    has the rows with one below `min_confidence`.

    Every finished row is stored at once. After an interrupt or a crash, the same call takes up the
    rows that were finished (not if `fresh`), with `cache` also equal answers of any run; `store`
    is the path of another store, or "off".

    Raises:
        steer_engine.SteerError: something cannot be used, or the answer could not be finished.
    """
    import warnings

    from steer_engine import doubts
    from steermagic.forms import read_answer
    from steermagic.job import Job, job_over
    from steermagic.options import call_options
    from steermagic.session import shared_session

    _check_prompt(prompt)
    pattern = None if regex is None else _pattern(regex)
    session = shared_session()
    given = {
        "model": model,
        "many": many,
        "rows": rows,
        "as_": as_,
        "temperature": temperature,
        "top_p": top_p,
        "min_p": min_p,
        "seed": seed,
        "max_tokens": max_tokens,
        "min_confidence": min_confidence,
        "think": think,
        "regex": pattern,
        "choices": None if choices is None else "",
        "grammar": None if grammar is None else "",
        "system": system,
        "cache": cache,
        "unsteered": unsteered,
        "fresh": fresh,
        "strict": strict,
        "trace": trace,
        "store": store,
        "over": None if over is None else "",
    }
    options = call_options(given, session.settings())
    found = read_answer(schema, regex=pattern, choices=choices, grammar=grammar, many=many)
    for doubt in doubts(found.schema):
        warnings.warn(doubt, stacklevel=2)
    if over is None:
        return session.answer(Job((prompt,), found, options))
    return session.answer(job_over(over, prompt, found, options, namespace={}))


def _check_prompt(prompt: object) -> None:
    from steermagic.errors import OptionError

    if not isinstance(prompt, str):
        raise OptionError(f"the prompt is a text, not a value of type {type(prompt).__name__}")
    if not prompt.strip():
        raise OptionError("the prompt is empty")


def _pattern(regex: object) -> str:
    """Return the text of a regular expression, which may be compiled."""
    import re

    from steermagic.errors import OptionError

    if isinstance(regex, re.Pattern):
        if regex.flags & ~re.UNICODE:
            raise OptionError("regex cannot have flags; spell them out, re.I as in [Aa]")
        regex = regex.pattern
    if not isinstance(regex, str):
        raise OptionError(f"regex is a text, not a value of type {type(regex).__name__}")
    return regex
