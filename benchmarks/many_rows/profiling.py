"""Where the engine's time goes, by its modules."""

from __future__ import annotations

import cProfile
import pstats
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from many_rows.watch import Seen

_BACKENDS = "backends"
_Function = tuple[str, int, str]  # file, line, name, as pstats has them
_NONE: frozenset[_Function] = frozenset()


@dataclass(frozen=True, slots=True)
class Parts:
    """Seconds of each module of the engine with what it calls outside of it, native work too."""

    seconds: dict[str, float]
    total_s: float
    llguidance_s: float

    def to_json(self, seen: Seen) -> dict[str, object]:
        """Return shares of the time, the forward apart, and llguidance's µs a sampled token."""
        watched_s = seen.forward_cpu_s + seen.watch_cpu_s
        seconds = self.seconds | {_BACKENDS: self.seconds[_BACKENDS] - watched_s}
        total_s = self.total_s - seen.watch_cpu_s
        by_size = sorted(seconds.items(), key=lambda item: -item[1])
        return {
            "forward": seen.forward_cpu_s / total_s,
            "parts": {name: part / total_s for name, part in by_size},
            "llguidance_us": 1e6 * self.llguidance_s / max(1, seen.n_outputs),
        }


def profiled(work: Callable[[], object]) -> Parts:
    """Do `work` under Python's profiler, in processor time."""
    profile = cProfile.Profile(time.process_time)
    start = time.process_time()
    profile.runcall(work)
    total_s = time.process_time() - start
    return _parts(pstats.Stats(profile), total_s)


def _parts(stats: pstats.Stats, total_s: float) -> Parts:
    by_function: dict[_Function, Any] = vars(stats)["stats"]
    seconds: dict[str, float] = defaultdict(float)
    llguidance_s = 0.0
    for function, (_, _, own_s, _, _) in by_function.items():
        for part, share in _origins(function, by_function).items():
            seconds[part] += own_s * share
        if "LLMatcher" in function[2]:
            llguidance_s += own_s
    return Parts(seconds, total_s, llguidance_s)


def _origins(
    function: _Function, by_function: Mapping[_Function, Any], seen: frozenset[_Function] = _NONE
) -> dict[str, float]:
    """Return for whom `function` works: its module of the engine, or those of its callers."""
    part = _part(function)
    if part is not None:
        return {part: 1.0}
    callers = {
        caller: through_s
        for caller, (_, _, _, through_s) in by_function[function][4].items()
        if caller not in seen
    }
    total_s = sum(callers.values()) or 1.0
    origins: dict[str, float] = defaultdict(float)
    for caller, through_s in callers.items():
        for origin, share in _origins(caller, by_function, seen | {function}).items():
            origins[origin] += share * through_s / total_s
    return origins


def _part(function: _Function) -> str | None:
    """Return the module of the engine that a function belongs to; None for those outside."""
    _, found, inside = function[0].rpartition("/steer_engine/")
    if not found:
        return None
    return inside.split("/")[0].removesuffix(".py")
