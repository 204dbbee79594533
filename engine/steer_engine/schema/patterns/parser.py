"""Reads the text of a regular expression; see `syntax` for what it becomes."""

from __future__ import annotations

import re
from functools import lru_cache

from steer_engine.schema.patterns.properties import known_property
from steer_engine.schema.patterns.syntax import (
    DIGITS,
    LINE_ENDS,
    SPACE,
    WORD,
    BackReference,
    Boundary,
    CaseBlind,
    Characters,
    Choice,
    End,
    Group,
    Look,
    Node,
    PatternError,
    Range,
    Repeat,
    Sequence,
    Start,
    complement,
)

_MAX_DEPTH = 50  # of parentheses; the mask compiler gives up soon after
_COUNT = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
_GROUP_NAME = re.compile(r"\(\?<([^\W\d][\w$]*|[$][\w$]*)>")
_OPENING = re.compile(r"\(\?(?::|([ims]*)(?:-([ims]*))?:)")
_BRACKETS_AND_GROUPS = re.compile(
    r"\\.|\[(?:\\.|[^\]\\])*\]|(?P<group>\((?!\?)|\(\?<(?P<name>[^=!>][^>]*)>)", re.DOTALL
)
_LOOKS = {"(?=": (False, False), "(?!": (False, True), "(?<=": (True, False), "(?<!": (True, True)}
_ASSERTIONS = ("^", "$", "\\b", "\\B", "(?<=", "(?<!")
_CLASSES = {"d": DIGITS, "w": WORD, "s": SPACE}
_MAX_LEAST = 100_000  # repetitions: a row of forced characters has to end
_CONTROLS = {"f": 0x0C, "n": 0x0A, "r": 0x0D, "t": 0x09, "v": 0x0B}
_HEXADECIMAL = re.compile(
    r"x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|u\{(?P<long>[0-9a-fA-F]+)\}"
)
_LOW_SURROGATE = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")


@lru_cache(maxsize=1024)
def parsed(pattern: str) -> Node:
    """Return the tree of `pattern`; raises `PatternError`."""
    parser = _Parser(pattern)
    tree = parser.choice()
    if parser.rest:
        raise PatternError("a `)` closes nothing")
    return tree


class _Parser:
    """Stands at a place in the text of one pattern."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._n_opened = 0
        self._flags = frozenset[str]()  # of `i`, `m` and `s`
        groups = [m for m in _BRACKETS_AND_GROUPS.finditer(text) if m["group"]]
        self._names = [match["name"] for match in groups]
        self._taken = frozenset[str]()  # names that this alternative cannot give again

    @property
    def rest(self) -> str:
        """The next character, empty at the end."""
        return self._text[self._at : self._at + 1]

    def choice(self) -> Node:
        """Read alternatives up to a `)` or the end."""
        taken_before, taken = self._taken, self._taken
        options: list[Node] = []
        while not options or self._skip("|"):
            self._taken = taken_before
            options.append(self._sequence())
            taken |= self._taken
        self._taken = taken
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self.rest not in ("", "|", ")"):
            is_assertion = self._text.startswith(_ASSERTIONS, self._at)
            items.append(self._repeated(self._term(), is_assertion=is_assertion))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _skip(self, text: str) -> bool:
        found = self._text.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def _take(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        match = expression.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return match

    def _repeated(self, body: Node, *, is_assertion: bool) -> Node:
        if self.rest not in ("*", "+", "?", "{"):
            return body
        count = self._take(_COUNT)
        if count is not None:
            least = int(count[1])
            most = int(count[3]) if count[3] else None if count[2] else least
        elif self.rest == "{":
            return body  # stands for itself
        else:
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[self.rest]
            self._at += 1
        if most is not None and most < least:
            raise PatternError(f"{{{least},{most}}} counts backwards")
        if least > _MAX_LEAST:
            raise PatternError(f"{{{least}}} repeats more often than anyone can write")
        if is_assertion:
            raise PatternError("an assertion cannot be repeated")
        repeat = Repeat(body, least, most, lazy=self._skip("?"))
        if self.rest in ("*", "+", "?") and self.rest:
            raise PatternError("there is nothing to repeat")
        return repeat

    def _term(self) -> Node:
        character = self.rest
        if character == "(":
            return self._parenthesis()
        if character in ("*", "+", "?") or _COUNT.match(self._text, self._at):
            raise PatternError("there is nothing to repeat")
        self._at += 1
        match character:
            case "^":
                return Start(of_lines="m" in self._flags)
            case "$":
                return End(of_lines="m" in self._flags)
            case ".":
                return Characters(() if "s" in self._flags else LINE_ENDS, negated=True)
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case _:
                return Characters(((ord(character), ord(character)),))

    def _parenthesis(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise PatternError(f"parentheses are nested more than {_MAX_DEPTH} deep")
        flags = self._flags
        for opening, (behind, negated) in _LOOKS.items():
            if self._skip(opening):
                return Look(self._closed(), behind, negated)
        modified = self._take(_OPENING)
        if modified is not None:
            self._modify(modified[1] or "", modified[2] or "")
            body = self._closed()
            blind = "i" in self._flags
            changed, self._flags = blind != ("i" in flags), flags
            return CaseBlind(body, blind) if changed else body
        name = self._take(_GROUP_NAME)
        if name is None and (not self._skip("(") or self.rest == "?"):
            raise PatternError("`(?` is followed by something that ECMA-262 does not know")
        if name is not None:
            if name[1] in self._taken:
                raise PatternError(f"the group name {name[1]!r} is there twice")
            self._taken |= {name[1]}
        self._n_opened += 1
        number = self._n_opened
        return Group(number, self._closed())

    def _closed(self) -> Node:
        body = self.choice()
        if not self._skip(")"):
            raise PatternError("a `(` is not closed")
        self._depth -= 1
        return body

    def _modify(self, added: str, removed: str) -> None:
        both = added + removed
        if len(set(both)) < len(both):
            raise PatternError("a flag is there twice")
        self._flags = (self._flags | set(added)) - set(removed)

    def _escape(self) -> Node:
        number = self._take(re.compile(r"[1-9][0-9]*"))
        if number is not None:
            if int(number[0]) > len(self._names):
                raise PatternError(f"\\{number[0]} refers to no group")
            return BackReference((int(number[0]),))
        if self._skip("k<"):
            name, _, _ = self._text[self._at :].partition(">")
            self._at += len(name) + 1
            numbers = [i for i, each in enumerate(self._names, 1) if each == name]
            if not numbers:
                raise PatternError(f"\\k<{name}> refers to no group")
            return BackReference(tuple(numbers))
        if self.rest in ("b", "B"):
            return Boundary(negated=self._skip("B") or not self._skip("b"))
        item = self._character_escape()
        return item if isinstance(item, Characters) else Characters(((item, item),))

    def _class(self) -> Characters:
        negated = self._skip("^")
        ranges: list[Range] = []
        properties: list[tuple[str, bool]] = []
        while not self._skip("]"):
            first = self._class_atom()
            last: int | Characters | None = None
            if self.rest == "-" and self._text[self._at + 1 : self._at + 2] not in ("", "]"):
                self._at += 1
                last = self._class_atom()
            if isinstance(first, int) and isinstance(last, int):
                if last < first:
                    raise PatternError("a range of characters runs backwards")
                ranges.append((first, last))
                continue
            dash = () if last is None else (ord("-"), last)  # no range after all
            for each in (first, *dash):
                if isinstance(each, Characters):
                    ranges += each.ranges
                    properties += each.properties
                else:
                    ranges.append((each, each))
        return Characters(tuple(ranges), tuple(properties), negated)

    def _class_atom(self) -> int | Characters:
        if not self.rest:
            raise PatternError("a `[` is not closed")
        if not self._skip("\\"):
            self._at += 1
            return ord(self._text[self._at - 1])
        return 0x08 if self._skip("b") else self._character_escape()

    def _character_escape(self) -> int | Characters:
        letter = self.rest
        if letter.lower() in _CLASSES and letter:
            self._at += 1
            ranges = _CLASSES[letter.lower()]
            return Characters(ranges if letter.islower() else complement(ranges))
        if letter in ("p", "P"):
            match = self._take(re.compile(r"[pP]\{([^{}]*)\}"))
            if match is None:
                raise PatternError(f"\\{letter} is not followed by a name in braces")
            return Characters(properties=((known_property(match[1]), letter == "P"),))
        hexadecimal = self._take(_HEXADECIMAL)
        if hexadecimal is not None:
            return self._code_point(hexadecimal)
        control = self._take(re.compile(r"c([a-zA-Z])"))
        if control is not None:
            return ord(control[1]) % 32
        if self._take(re.compile(r"0(?![0-9])")):
            return 0
        if not letter or (letter.isascii() and letter.isalnum() and letter not in _CONTROLS):
            raise PatternError(f"\\{letter} means nothing in ECMA-262")
        self._at += 1
        return _CONTROLS.get(letter, ord(letter))

    def _code_point(self, escape: re.Match[str]) -> int:
        point = int(escape["x"] or escape["u"] or escape["long"], 16)
        if point > 0x10FFFF:
            raise PatternError(f"\\{escape[0]} is no character")
        low = self._take(_LOW_SURROGATE) if escape["u"] and 0xD800 <= point < 0xDC00 else None
        if low is None:
            return point
        return 0x10000 + (point - 0xD800) * 0x400 + int(low[1], 16) - 0xDC00
