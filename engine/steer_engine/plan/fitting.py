"""Whether a model fits a machine, how much context it then has, and what to do if it does not."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from steer_engine.catalogue.facts import ModelFacts, ModelShape
from steer_engine.plan.memory import Machine
from steer_engine.plan.sizes import Need, Room, compute_bytes, process_bytes, work_bytes

ALL_LAYERS: Final = -1
"""What llama.cpp takes for every layer, and the output."""

_SHARE = 0.9  # of the free memory; the rest is left for what cannot be foreseen
_USUAL = 2**31  # bytes for a context beyond which more rows at a time gain little
_MODEST_CONTEXT = 8192  # tokens that layers make room for on a GPU
_LEAST_CONTEXT = 2048  # tokens with which a model is still of use
_STEP = 1024  # tokens
_LARGEST = 2**20  # tokens
_BITS = {  # of a weight, in files of each quantization
    "Q8_0": 8.5, "Q6_K": 6.6, "Q5_K_M": 5.7, "Q4_K_M": 4.85, "Q3_K_M": 3.9, "Q2_K": 3.2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model would lie in memory.

    `ram` and `device` are what it needs of the machine's memory and of its GPUs' own. `room` is the
    context: what was asked for, or what there is room for. `n_gpu_layers` go to the GPUs.
    """

    facts: ModelFacts
    machine: Machine
    room: Room
    ram: Need
    device: Need
    n_gpu_layers: int

    @property
    def fits(self) -> bool:
        """Whether there is enough memory of each kind."""
        return self.ram.total <= _budget(self.machine) and self.device.total <= _vram(self.machine)

    @property
    def most_tokens(self) -> int:
        """The longest context that there is room for; 0 if the model does not fit at all."""
        contexts = range(_STEP, max(_LARGEST, self.room.n_tokens) + 1, _STEP)
        n_fitting = bisect_left(contexts, x=True, key=lambda n: not self.resized(n).fits)
        return contexts[n_fitting - 1] if n_fitting else 0

    def resized(self, n_tokens: int) -> Plan:
        """Return the plan with a context of so many tokens; if it fits, all layers stay there."""
        facts, machine, room = self.facts, self.machine, Room(n_tokens, self.room.n_slots)
        if not self.fits:
            return _with_room(facts, machine, room)
        is_whole = self.n_gpu_layers == ALL_LAYERS
        n_layers = next(_offers(facts, machine)) if is_whole else self.n_gpu_layers
        return _offloaded(facts, machine, room, n_layers)

    @property
    def advice(self) -> str:
        """One line: what it needs, what there is, and what would fit."""
        needed = gigabytes(self.ram.total + self.device.total)
        free = gigabytes(_budget(self.machine) + _vram(self.machine))
        if self.fits:
            return f"needs {needed}, {free} free"
        return f"needs {needed}, {free} free: {_way_out(self)}"


def make_plan(facts: ModelFacts, machine: Machine, room: Room | None = None) -> Plan:
    """Return how a model fits `machine`: with `room`, else with as much context as there is for.

    As many layers as possible go to the GPUs, beside a modest context; it grows into what they
    leave. The plan says itself whether it `fits`.
    """
    if room is not None:
        return _with_room(facts, machine, room)
    wanted = max(facts.context_length, _usual_tokens(facts, machine))
    least = min(_LEAST_CONTEXT, facts.context_length or _LEAST_CONTEXT)
    modest = min(_MODEST_CONTEXT, wanted)
    plan = _fitting(_with_room(facts, machine, Room(n)) for n in _shrinking(modest, least))
    if not plan.fits or plan.room.n_tokens < modest:
        return plan
    return _fitting(plan.resized(n) for n in _shrinking(wanted, modest))


def _fitting(plans: Iterator[Plan]) -> Plan:
    """Return the first plan that fits, else the last one."""
    plan = next(plans)
    while not plan.fits and (other := next(plans, None)) is not None:
        plan = other
    return plan


def _shrinking(most: int, least: int) -> Iterator[int]:
    """Yield numbers of tokens from `most` down to `least`."""
    while most > least:
        yield most
        most = most * 3 // 4
    yield least


def _usual_tokens(facts: ModelFacts, machine: Machine) -> int:
    """Return how many tokens the usual memory for a context holds, in all slots together."""
    n_tokens = _STEP
    while n_tokens < _LARGEST:
        plan = _offloaded(facts, machine, Room(2 * n_tokens), 0)
        if plan.ram.cache + plan.ram.compute > _USUAL:
            break
        n_tokens *= 2
    return n_tokens


def _with_room(facts: ModelFacts, machine: Machine, room: Room) -> Plan:
    return _fitting(_offloaded(facts, machine, room, n) for n in _offers(facts, machine))


def _offers(facts: ModelFacts, machine: Machine) -> Iterator[int]:
    """Yield how many layers could go to the GPUs, the most first; the output is one more."""
    if machine.devices:
        yield from range(len(facts.shape.layer_bytes) + 1, 0, -1)
    yield 0


def _offloaded(facts: ModelFacts, machine: Machine, room: Room, n_layers: int) -> Plan:
    """Return the plan with the last `n_layers` on the GPUs, where llama.cpp puts them."""
    shape = facts.shape
    n_kept = max(0, len(shape.layer_bytes) + 1 - n_layers)
    n_kept_layers = min(n_kept, len(shape.layer_bytes))
    is_whole = n_layers > len(shape.layer_bytes)
    kept = Need(
        weights=shape.input_bytes
        + sum(shape.layer_bytes[:n_kept_layers])
        + (0 if n_layers else shape.output_bytes)
        + (0 if n_layers else _repacked(shape, machine)),
        cache=sum(shape.cache_bytes[:n_kept_layers]) * room.n_cells
        + (0 if is_whole else shape.state_bytes * room.n_slots),
        compute=0 if is_whole else _compute_here(facts, machine, room),
        process=process_bytes(facts, room),
    )
    given = Need(
        # Weights that input and output share are there twice.
        weights=sum(shape.layer_bytes[n_kept_layers:]) + max(shape.output_bytes, shape.input_bytes),
        cache=sum(shape.cache_bytes[n_kept_layers:]) * room.n_cells
        + (shape.state_bytes * room.n_slots if is_whole else 0),
        compute=compute_bytes(facts, room, flash=True),
    )
    if n_layers == 0:
        given = Need()
    elif all(device.unified for device in machine.devices):
        kept, given = kept + given, Need()
    n_gpu_layers = ALL_LAYERS if is_whole or not machine.devices else n_layers
    return Plan(facts, machine, room, kept, given, n_gpu_layers)


def _repacked(shape: ModelShape, machine: Machine) -> int:
    return sum(shape.bytes_by_type.get(name, 0) for name in machine.repacked_types)


def _compute_here(facts: ModelFacts, machine: Machine, room: Room) -> int:
    if machine.devices:
        return compute_bytes(facts, room, flash=True)
    return compute_bytes(facts, room, flash=False) + work_bytes(facts, room)


def _budget(machine: Machine) -> int:
    return int(machine.free_bytes * _SHARE)


def _vram(machine: Machine) -> int:
    return int(sum(d.free_bytes for d in machine.devices if not d.unified) * _SHARE)


def _way_out(plan: Plan) -> str:
    ways = [*_smaller_quantizations(plan), *_shorter_contexts(plan)] or [*_both(plan)]
    if ways:
        return f"try {' or '.join(ways)}"
    n_free = _budget(plan.machine) + _vram(plan.machine) - plan.ram.process - plan.ram.compute
    n_params = n_free * 8 / _BITS["Q4_K_M"] / 1e9
    if n_params < 0.1:
        return "free some memory, or use a model on a server"
    return f"a model of at most {n_params:.1f} billion parameters fits here (in Q4_K_M)"


def _smaller_quantizations(plan: Plan) -> Iterator[str]:
    """Yield the best quantization that is smaller and fits."""
    n_params, n_stored = plan.facts.n_params, plan.facts.shape.weight_bytes
    n_beside = plan.ram.total + plan.device.total - n_stored
    for name, n_bits in _BITS.items():
        n_bytes = int(n_params * n_bits / 8)
        n_free = _budget(plan.machine) + _vram(plan.machine)
        if n_bytes < 0.9 * n_stored and n_beside + n_bytes <= n_free:
            yield f"{name} ({gigabytes(n_bytes)})"
            return


def _shorter_contexts(plan: Plan) -> Iterator[str]:
    """Yield the longest context that fits, if that is of use."""
    if plan.most_tokens >= _LEAST_CONTEXT:
        yield f"--ctx {plan.most_tokens}"


def _both(plan: Plan) -> Iterator[str]:
    """Yield a smaller quantization with a shorter context."""
    for shorter in _shortened(plan):
        for way in _smaller_quantizations(shorter):
            yield f"{way} with --ctx {shorter.room.n_tokens}"
            return


def _shortened(plan: Plan) -> Iterator[Plan]:
    """Yield the plan with half of the context, again and again, as long as that is of use."""
    n_tokens = plan.room.n_tokens // 2
    while n_tokens >= _LEAST_CONTEXT:
        n_tokens = n_tokens // _STEP * _STEP
        yield plan.resized(n_tokens)
        n_tokens //= 2


def gigabytes(n_bytes: int) -> str:
    """Return a size as people read it."""
    if n_bytes < 1e9:
        return f"{n_bytes / 1e6:.0f} MB"
    return f"{n_bytes / 1e9:.1f} GB"
