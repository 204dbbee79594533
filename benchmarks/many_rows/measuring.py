"""The systems take turns, so that a machine whose speed drifts is fair to all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from many_rows.cases import INSTRUCTION, SHORT_SCHEMA, Post, read_posts, schema_of
from many_rows.driver import Driver, WorkerError
from many_rows.environments import Environments, MissingError
from many_rows.systems import OURS, SYSTEMS, Limits
from steer_engine import compose, read_schema
from steer_engine.backends.llamacpp_layouts import fails_with_amx
from steer_engine.backends.llamacpp_model import bindings, load_model, read_metadata
from steer_engine.backends.llamacpp_vocabulary import vocabulary_of
from steer_engine.prompting import ChatLayout


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured. Peers answer `n_peer_rows` of the `n_rows` in a repetition, in turn.

    They answer one row after the other, so that their rate does not depend on how many there are;
    ours answers all rows at once.
    """

    systems: Sequence[str]
    schemas: Sequence[str]
    n_rows: int
    n_peer_rows: int
    n_repetitions: int
    scale: Sequence[int]  # how many rows ours answers to see whether their time is constant

    def share(self, system: str, repetition: int) -> slice:
        """Return which of the rows `system` answers in a repetition."""
        if system == OURS or self.n_peer_rows >= self.n_rows:
            return slice(None)
        n_shares = -(-self.n_rows // self.n_peer_rows)
        return slice(repetition % n_shares, None, n_shares)


@dataclass(frozen=True, slots=True)
class Case:
    """A row: what is sent, what the model reads, and its answer where that is known beforehand."""

    messages: Sequence[Mapping[str, str]]
    prompt: str
    target: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """What a system did in one repetition; sums over its rows, seconds, bytes."""

    n_rows: int
    n_wrong: int
    cpu_s: float
    wall_s: float
    forward_cpu_s: float
    forward_wall_s: float
    n_calls: int
    n_tokens: int
    n_outputs: int
    prompts_read: int  # how many prompts the model read word for word
    peak_bytes: int


_FIGURES = [each.name for each in fields(Turn)][2:]


@dataclass(slots=True)
class Found:
    """What was measured on one model; `missing` says why a system is not in `turns`."""

    turns: dict[str, dict[str, list[Turn]]] = field(default_factory=dict)  # schema -> system
    setup_s: dict[str, dict[str, float]] = field(default_factory=dict)  # schema -> system
    profiles: dict[str, dict[str, object]] = field(default_factory=dict)  # schema
    missing: dict[str, str] = field(default_factory=dict)  # system
    scale: list[dict[str, float]] = field(default_factory=list)
    fails_with_amx: bool = False  # where llama-cpp-python would not run as it is

    def all_turns(self, system: str) -> list[Turn]:
        """Return what a system did, over all schemas."""
        return [turn for turns in self.turns.values() for turn in turns.get(system, [])]

    def with_other_prompts(self) -> list[str]:
        """Return the systems whose model did not read every prompt word for word."""
        systems = dict.fromkeys(system for turns in self.turns.values() for system in turns)
        return [
            system
            for system in systems
            if any(turn.prompts_read < turn.n_rows for turn in self.all_turns(system))
        ]


def measure(model: Path, plan: Plan, environments: Environments, *, is_told: bool) -> Found:
    """Measure all systems on `model`; `is_told` says that the oracle gives it the answers."""
    found, layout = Found(fails_with_amx=fails_with_amx(bindings())), read_layout(model)
    with ExitStack() as stack:
        drivers = dict(_open(model, plan, environments, found, stack))
        for schema in plan.schemas:
            posts = read_posts(plan.n_rows)
            cases = [make_case(layout, post, schema, is_told=is_told) for post in posts]
            _take_turns(schema, cases, drivers, plan, found)
        if OURS in drivers:
            found.scale += _scale(drivers[OURS], plan)
    return found


def read_layout(model: Path) -> ChatLayout:
    """Return how `model` wants conversations to be laid out."""
    native = bindings()
    loaded = load_model(native, model, vocab_only=True)
    template = read_metadata(native, loaded.pointer, "tokenizer.chat_template")
    return ChatLayout(template, vocabulary_of(native, loaded))


def make_case(layout: ChatLayout, post: Post, schema: str, *, is_told: bool) -> Case:
    """Return the row that asks for `post` in the form of `schema`."""
    messages = compose(post.text, read_schema(schema_of(schema)), system=INSTRUCTION)
    return Case(
        [asdict(message) for message in messages],
        layout.render(messages),
        post.answer(schema) if is_told else None,
    )


def _open(
    model: Path, plan: Plan, environments: Environments, found: Found, stack: ExitStack
) -> Iterator[tuple[str, Driver]]:
    """Yield a driver for each system that can be opened."""
    limits = Limits(fails_with_amx=found.fails_with_amx)
    for system in plan.systems:
        try:
            python = environments.python(SYSTEMS[system].environment)
            driver = stack.enter_context(Driver(python, system))
            driver.order("open", model=str(model), limits=asdict(limits))
        except (MissingError, WorkerError) as error:
            found.missing[system] = str(error)
        else:
            yield system, driver


def _take_turns(
    schema: str, cases: Sequence[Case], drivers: dict[str, Driver], plan: Plan, found: Found
) -> None:
    turns: dict[str, list[Turn]] = {system: [] for system in drivers}
    found.setup_s[schema], found.turns[schema] = {}, turns
    for i in range(-1, plan.n_repetitions):
        for system in _rotated(list(drivers), i):
            try:
                if i < 0:  # warm up; a prefix that a system keeps between rows is then there
                    found.setup_s[schema][system] = _prepare(drivers[system], schema, cases)
                else:
                    share = cases[plan.share(system, i)]
                    turns[system].append(_turn(drivers[system], schema, share))
            except WorkerError as error:
                found.missing[system] = str(error)
                del drivers[system], turns[system]
    if OURS in drivers and not found.profiles:  # one of them shows it
        found.profiles[schema] = drivers[OURS].order("profile", rows=_rows(cases))


def _rotated(systems: list[str], by: int) -> list[str]:
    by %= len(systems) or 1
    return systems[by:] + systems[:by]


def _prepare(driver: Driver, schema: str, cases: Sequence[Case]) -> float:
    """Return the seconds that a system took before its first row."""
    done = driver.order("prepare", schema=schema_of(schema))
    driver.order("answer", rows=_rows(cases[-1:]))
    return float(done["wall_s"])


def _turn(driver: Driver, schema: str, cases: Sequence[Case]) -> Turn:
    done = driver.order("answer", rows=_rows(cases))
    answers = done.pop("answers")
    wrong = [not is_right(*pair, schema) for pair in zip(cases, answers, strict=True)]
    return Turn(len(cases), sum(wrong), **{k: done[k] for k in _FIGURES})


def is_right(case: Case, answer: str, schema: str) -> bool:
    """Tell whether an answer is the known one, or valid where none is known."""
    from jsonschema import Draft202012Validator

    try:
        record = json.loads(answer)
    except ValueError:
        return False
    if case.target is not None:
        return bool(record == json.loads(case.target))
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(schema_of(schema), format_checker=checker).is_valid(record)


def _scale(ours: Driver, plan: Plan) -> Iterator[dict[str, float]]:
    """Yield what more and more rows took, with short prompts and answers."""
    schema = read_schema(SHORT_SCHEMA)
    ours.order("prepare", schema=SHORT_SCHEMA)
    for n_rows in plan.scale:
        texts = (f"{post.facts['summary']} ({i})" for i, post in enumerate(read_posts(n_rows)))
        conversations = [[asdict(message) for message in compose(text, schema)] for text in texts]
        yield ours.order("scale", conversations=conversations)


def _rows(cases: Sequence[Case]) -> list[dict[str, object]]:
    return [asdict(case) for case in cases]
