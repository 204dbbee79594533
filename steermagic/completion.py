"""Completion in `%%steer` cells and `%steer` lines, as one more matcher of IPython's completer.

Each function is given the text up to the cursor and returns what could stand in place of its end.
Where it returns nothing, as in the words of a prompt, IPython's own matchers answer as ever.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import partial

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)
from IPython.core.interactiveshell import InteractiveShell

from steer_engine import EMBEDDED, SteerError, model_names
from steermagic.accessor import find_attached
from steermagic.candidates import is_frame, names_of
from steermagic.commands import COMMANDS
from steermagic.errors import OptionError
from steermagic.line import Line, read_line, takes_option
from steermagic.offers import Offer, Scope, expressions, matching, models, schemas, types, values
from steermagic.options import FORMS, OPTIONS, Option, is_option, option_of
from steermagic.session import Session

_IDENTIFIER = "steermagic"
_N_RUNS = 20
_MODELS_LAST_S = 30.0  # looking through large stores takes its time

# `%%time` and `%%capture` run the cell below them as it stands.
_CELL = re.compile(r"\s*(?:%%(?:time|capture)\b.*\n\s*)*%%steer(?=\s)[^\S\n]*")
_OTHER_CELL = re.compile(r"\s*%%(?!(?:time|capture)\b)")
_COMMAND = re.compile(r"\s*(?:[\w\s,]+=\s*)?%steer[^\S\n]+")
_OPEN = re.compile(r"\\\{\{|\{\{")


def register_completion(shell: InteractiveShell, session: Session) -> None:
    """Let `shell` complete what stands in cells; a matcher of before is replaced."""
    unregister_completion(shell)
    known = _Models(session)

    def match(context: CompletionContext) -> SimpleMatcherResult:
        lines = context.full_text.split("\n")[: context.cursor_line + 1]
        before = "\n".join([*lines[:-1], lines[-1][: context.cursor_position]])
        scope = Scope(_visible(shell), known, session.find_run, partial(_run_ids, session))
        offer = offered(before, scope)
        return SimpleMatcherResult(
            completions=[_completion(text) for text in offer.texts[: context.limit]],
            matched_fragment=offer.fragment,
            suppress=True,  # IPython does so only where there are completions
            ordered=True,
        )

    shell.Completer.custom_matchers.append(context_matcher(identifier=_IDENTIFIER)(match))


def unregister_completion(shell: InteractiveShell) -> None:
    """Take the matcher out again, if it is there."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [
        each for each in matchers if getattr(each, "matcher_identifier", "") != _IDENTIFIER
    ]


def offered(before: str, scope: Scope) -> Offer:
    """Return what could stand at the end of `before`, the text of a cell up to the cursor."""
    if cell := _CELL.match(before):
        line, newline, body = before[cell.end() :].partition("\n")
        return _in_body(_begun(line), body, scope) if newline else _on_line(line, scope)
    last_line = before.rpartition("\n")[2]
    command = _COMMAND.match(last_line)
    if command is None or _OTHER_CELL.match(before):
        return Offer()
    return _in_command(last_line[command.end() :], scope)


def _on_line(line: str, scope: Scope) -> Offer:
    before, word = _last_word(line)
    flag, equals, value = word.partition("=")
    if equals and is_option(flag) and takes_option(before):
        return values(option_of(flag), value, scope)
    if (option := _waiting(before)) is not None:
        return values(option, word, scope)
    begun = _begun(before)
    if (offer := types(begun.text + word)) is not None:
        return offer
    names: list[str] = []
    if not begun.text.strip() and _form(begun) is None:
        names += schemas(word, scope)
    if (not word and begun.text.strip()[-1:] != ",") or word.startswith("-"):
        names += _flags(begun) if takes_option(before) else []
    return matching(word, names)


def _in_body(head: Line, body: str, scope: Scope) -> Offer:
    expression = _open_expression(body)
    if expression is not None:
        return expressions(expression, head.options.get("--over"), scope)
    *above, line = body.split("\n")
    has_schema = bool(head.text.strip()) or _form(head) is not None
    if has_schema or any(each.rstrip() == "---" for each in above):
        return Offer()  # words of the prompt
    is_json = body.lstrip().startswith("{")
    return Offer() if is_json else types(line) or Offer()


def _in_command(line: str, scope: Scope) -> Offer:
    before, word = _last_word(line)
    words = before.split()
    begun = " ".join([*words, ""])
    following = {key[len(begun) :].split(" ")[0] for key in COMMANDS if key.startswith(begun)}
    if following - {""}:
        return matching(word, sorted(following - {""}))
    if (command := " ".join(words)) in ("resume", "runs show", "runs export"):
        return matching(word, scope.run_ids(command == "resume"))
    name, rest = words[0], line.lstrip()[len(words[0]) :].lstrip()
    if name == "explain":
        return _on_line(rest, scope)
    if name == "schema":
        return types(rest) or matching(rest, schemas(word, scope))
    if len(words) == 1 and word[:1] != "-":
        return _argument(name, word, scope)
    known = COMMANDS.get(" ".join(words[:2])) or COMMANDS.get(name)
    usage = "" if known is None or words[-1].startswith("--") else known.usage
    return matching(word, [flag for flag in re.findall(r"--\w+", usage) if flag not in words])


def _argument(command: str, word: str, scope: Scope) -> Offer:
    if command in ("use", "plan"):
        return models(word, scope)
    if command == "view":
        return matching(word, names_of(lambda value: _is_result(value, scope), scope.namespace))
    return matching(word, [EMBEDDED] if command == "models" else [])


def _open_expression(body: str) -> str | None:
    """Return what stands behind the last ``{{`` if it is not closed yet."""
    opened = list(_OPEN.finditer(body))
    if not opened or opened[-1][0].startswith("\\"):
        return None
    expression = body[opened[-1].end() :]
    return None if "}}" in expression else expression


def _is_result(value: object, scope: Scope) -> bool:
    return is_frame(value) and find_attached(value, scope.find_run) is not None


def _flags(begun: Line) -> Iterator[str]:
    given = {option_of(flag).name for flag in begun.options}
    return (flag for option in OPTIONS if option.name not in given for flag in option.flags)


def _waiting(before: str) -> Option | None:
    """Return the option at the end of `before`, if its value comes next."""
    start, word = _last_word(before.rstrip())
    if not (is_option(word) and before[-1:].isspace() and takes_option(start)):
        return None
    option = option_of(word)
    return None if option.read is None or option.bare is not None else option


def _form(line: Line) -> str | None:
    return next((name for name in FORMS if f"--{name}" in line.options), None)


def _begun(line: str) -> Line:
    """Read a line that may not be whole yet; of one that cannot be read, all is other text."""
    try:
        return read_line(line)
    except OptionError:
        return Line(line, {})


def _last_word(text: str) -> tuple[str, str]:
    word = "" if not text or text[-1].isspace() else text.rsplit(maxsplit=1)[-1]
    return text.removesuffix(word), word


def _completion(text: str) -> SimpleCompletion:
    return SimpleCompletion(text, type="option" if text[:1] == "-" else "value")


def _visible(shell: InteractiveShell) -> dict[str, object]:
    return {
        name: value
        for name, value in list(shell.user_ns.items())
        if name not in shell.user_ns_hidden and name.isidentifier()
    }


def _run_ids(session: Session, is_unfinished: bool) -> list[str]:  # noqa: FBT001 - see Scope
    try:
        ids = session.store().ids(limit=_N_RUNS, is_unfinished=is_unfinished)
    except SteerError:  # it is told by the command itself, not by its completion
        return []
    return [run_id[:8] for run_id in ids]


class _Models:
    """The names of the models on this machine, which are looked up now and then."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._names: list[tuple[str, ...]] = []
        self._until = 0.0

    def __call__(self) -> list[tuple[str, ...]]:
        if time.monotonic() >= self._until:
            self._names = model_names()
            self._until = time.monotonic() + _MODELS_LAST_S
        return [*((alias,) for alias in self._session.aliases), *self._names]
