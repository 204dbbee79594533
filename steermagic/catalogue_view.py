"""What `%steer models` and `%steer plan` say."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping

from steer_engine import (
    EMBEDDED,
    ListedModel,
    ModelFacts,
    ModelInfo,
    Plan,
    Room,
    list_models,
    plan_model,
)
from steermagic.errors import CommandError

_HOW = f"""\
-m NAME or %steer use NAME takes: a name above, the path of a .gguf file or of a folder with
safetensors, owner/repo[:Q4_K_M] of the Hugging Face hub, http://host:port#name of a server.
%steer plan NAME tells whether it fits; %steer models {EMBEDDED} shows the embedded one's card."""

_CONTEXT = 8192  # tokens that a plan is for where none are asked for


def models_lines(aliases: Mapping[str, str], loaded: Mapping[str, ModelInfo]) -> Iterator[str]:
    """Yield a line for each model on this machine, and what else can be named."""
    models = list_models()
    width = max(len(model.name) for model in models)
    stores = dict.fromkeys(model.store for model in models)
    for store in stores:
        yield f"{store}:"
        for model in models:
            if model.store == store:
                yield f"    {model.name:<{width}}  {_facts(model)}"
    yield from (f"{alias}: alias of {model}" for alias, model in aliases.items())
    yield from (f"loaded: {spec} ({info.name})" for spec, info in loaded.items())
    yield from ("", _HOW)


def _facts(model: ListedModel) -> str:
    facts = model.facts
    return _described(facts) if isinstance(facts, ModelFacts) else str(facts)


def _described(facts: ModelFacts) -> str:
    parts = (
        facts.architecture,
        f"{_count(facts.n_params)} parameters",
        facts.quantization,
        _size(facts.size_bytes),
        f"reads {facts.context_length} tokens",
    )
    return " · ".join(parts)


def plan_lines(rest: str, aliases: Mapping[str, str], in_use: str) -> Iterator[str]:
    """Yield what `%steer plan` says; `in_use` is the model that is meant where none is named.

    Raises:
        CommandError: the line cannot be read.
        ModelError: the model cannot be found, or its header cannot be read.
    """
    name, room = _read(_words(rest))
    plan = plan_model(name or in_use, aliases=aliases, room=room)
    if room is None and plan.room.n_tokens > _CONTEXT:  # else it is loaded with less
        plan = plan.resized(_CONTEXT)
    yield from _plan_lines(plan, name or in_use)


def _words(rest: str) -> list[str]:
    try:
        return shlex.split(rest, posix=False)  # backslashes are those of paths
    except ValueError:
        raise CommandError(f"a quotation mark is never closed: %steer plan {rest}") from None


def _read(words: Iterable[str]) -> tuple[str, Room | None]:
    """Return the model's name, and the room that is asked for, if any."""
    name, numbers = "", dict[str, int]()
    rest = iter(words)
    for word in rest:
        if word in ("--ctx", "--slots"):
            value = next(rest, "")
            if not value.isdecimal() or int(value) == 0:
                raise CommandError(f"{word} needs a whole number, as in {word} 4096")
            numbers[word] = int(value)
        elif word.startswith("--") or name:
            raise CommandError("write %steer plan MODEL, with --ctx N or --slots N if you like")
        else:
            name = word.strip("\"'")
    if not numbers:
        return name, None
    return name, Room(numbers.get("--ctx", _CONTEXT), numbers.get("--slots", 1))


def _plan_lines(plan: Plan, name: str) -> Iterator[str]:
    yield f"{name} ({_described(plan.facts)})"
    yield f"{'fits' if plan.fits else 'does not fit'}: {plan.advice}"
    for where, need in (("memory", plan.ram), ("GPU memory", plan.device)):
        if need.total:
            yield (
                f"{where}: {_size(need.total)} = weights {_size(need.weights)} + cache"
                f" {_size(need.cache)} + computing {_size(need.compute)} + process"
                f" {_size(need.process)}"
            )
    yield (
        f"context: {plan.room.n_tokens} tokens, of all rows that are decoded together; there is"
        f" room for {plan.most_tokens}"
    )
    if plan.machine.devices:
        n_layers = len(plan.facts.shape.layer_bytes)
        given = "all" if plan.n_gpu_layers < 0 else str(plan.n_gpu_layers)
        names = ", ".join(device.name for device in plan.machine.devices)
        yield f"GPU: {names}; {given} of {n_layers} layers"
    if plan.machine.remedy:
        yield f"faster: {plan.machine.remedy}"


def _count(n: int) -> str:
    return f"{n / 1e9:.1f}B" if n >= 1e9 else f"{n / 1e6:.1f}M"


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
