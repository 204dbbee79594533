"""What is printed: a table for each model and schema, and one JSON object at the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from statistics import median

from many_rows.measuring import Found, Turn
from many_rows.systems import OURS, SYSTEMS

_HEAD = (
    f"{'':<42}{'rows/s':>8}{'wall':>8}{'ms/row':>9}{'ours is':>9}{'least':>7}{'most':>7}"
    f"{'passes':>8}{'tokens':>8}{'logits':>8}{'wrong':>8}{'MB':>7}"
)


def per_s(turn: Turn) -> float:
    """Return rows per second of processor time."""
    return turn.n_rows / turn.cpu_s


def per_wall_s(turn: Turn) -> float:
    """Return rows per second of wall time."""
    return turn.n_rows / turn.wall_s


def overhead(turn: Turn) -> float:
    """Return the share of the processor time that was not spent in the model's forward."""
    return 1 - turn.forward_cpu_s / turn.cpu_s


def ratios(
    turns: Mapping[str, Sequence[Turn]], system: str, rate: Callable[[Turn], float] = per_s
) -> list[float]:
    """Return how many times as many rows ours answers as `system`, for each repetition."""
    pairs = zip(turns.get(OURS, ()), turns.get(system, ()), strict=False)  # one may have failed
    return [rate(ours) / rate(theirs) for ours, theirs in pairs]


def print_found(model: str, found: Found) -> None:
    """Print what was measured on one model."""
    for schema, turns in found.turns.items():
        print(f"\n{model}, schema {schema}; rows/s, ms and ratios are of processor time")
        print(_HEAD)
        for system, each in turns.items():
            if each:
                print(_line(system, each, ratios(turns, system)))
        if schema in found.profiles:
            _print_profile(found.profiles[schema])
    _print_notes(found)


def _print_notes(found: Found) -> None:
    for system in found.with_other_prompts():
        print(f"{SYSTEMS[system].label} reads other prompts than the rest: do not compare it")
    if found.fails_with_amx:
        print("AMX would kill this llama-cpp-python (older GCC?): all use its next layout")
    for system, reason in found.missing.items():
        print(f"{SYSTEMS[system].label} is missing: {reason}")
    for done in found.scale:
        print(
            f"{done['n_rows']:>7} rows: {1000 * done['cpu_s'] / done['n_rows']:.2f} ms a row,"
            f" at most {done['peak_bytes'] / 1e6:.0f} MB"
        )


def _line(system: str, turns: Sequence[Turn], ratio: Sequence[float]) -> str:
    n_rows = sum(turn.n_rows for turn in turns)
    compared = (
        f"{median(ratio):>8.2f}x{min(ratio):>7.2f}{max(ratio):>7.2f}" if ratio else f"{'':>23}"
    )
    counts = (sum(getattr(turn, name) for turn in turns) / n_rows for name in _COUNTS)
    return (
        f"{SYSTEMS[system].label:<42}{median(map(per_s, turns)):>8.2f}"
        f"{median(map(per_wall_s, turns)):>8.2f}{1000 / median(map(per_s, turns)):>9.1f}{compared}"
        + "".join(f"{count:>8.1f}" for count in counts)
        + f"{sum(turn.n_wrong for turn in turns):>4}/{n_rows:<3}"
        + f"{max(turn.peak_bytes for turn in turns) / 1e6:>7.0f}"
    )


_COUNTS = ("n_calls", "n_tokens", "n_outputs")


def _print_profile(profile: Mapping[str, object]) -> None:
    parts = profile["parts"]
    assert isinstance(parts, dict)
    shares = ", ".join(f"{name} {share:.1%}" for name, share in parts.items() if share >= 0.001)
    print(
        f"ours under the profiler: forward {profile['forward']:.1%}, {shares};"
        f" llguidance {profile['llguidance_us']:.0f} µs a sampled token"
    )


def summary(
    by_model: Mapping[str, Found], systems: Sequence[str], *, simulated: Collection[str]
) -> dict[str, object]:
    """Return the last line: the ratios on the last model, and everything below `models`."""
    peers = [system for system in SYSTEMS if system != OURS]
    chief, found = list(by_model.items())[-1]
    ours = found.all_turns(OURS)
    missing = {system: "not asked for" for system in peers if system not in systems}
    for each in by_model.values():
        missing |= each.missing
    return {
        **{f"vs_{system}": _overall(found, system, per_s) for system in peers},
        "overhead": _rounded(median(map(overhead, ours))) if ours else None,
        "clock": "processor time; `wall` has the ratios of wall time",
        "wall": {f"vs_{system}": _overall(found, system, per_wall_s) for system in peers},
        "of": f"{chief}, geometric mean over {', '.join(found.turns)}",
        "text_is_simulated": chief in simulated,
        "missing": missing,
        "models": {model: _details(each) for model, each in by_model.items()},
    }


def _overall(found: Found, system: str, rate: Callable[[Turn], float]) -> float | None:
    by_schema = [ratios(turns, system, rate) for turns in found.turns.values()]
    medians = [median(ratio) for ratio in by_schema if ratio]
    return _rounded(math.prod(medians) ** (1 / len(medians))) if medians else None


def _details(found: Found) -> dict[str, object]:
    return {
        "schemas": {
            schema: {
                "systems": {system: _figures(each) for system, each in turns.items() if each},
                "ratios": {
                    system: [_rounded(ratio) for ratio in ratios(turns, system)]
                    for system in turns
                    if system != OURS
                },
                "setup_s": found.setup_s[schema],
                "profile": found.profiles.get(schema),
            }
            for schema, turns in found.turns.items()
        },
        "scale": found.scale,
        "fails_with_amx": found.fails_with_amx,
    }


def _figures(turns: Sequence[Turn]) -> dict[str, object]:
    n_rows = sum(turn.n_rows for turn in turns)
    return {
        "rows_per_s": _rounded(median(map(per_s, turns))),
        "rows_per_wall_s": _rounded(median(map(per_wall_s, turns))),
        "overhead": _rounded(median(map(overhead, turns))),
        "n_rows": n_rows,
        "n_wrong": sum(turn.n_wrong for turn in turns),
        "n_prompts_read": sum(turn.prompts_read for turn in turns),
        **{
            f"{name}_per_row": _rounded(sum(getattr(turn, name) for turn in turns) / n_rows)
            for name in _COUNTS
        },
        "peak_bytes": max(turn.peak_bytes for turn in turns),
    }


def _rounded(value: float) -> float:
    return round(value, 4)
