"""A process that holds one system: orders come in as lines of JSON, and each is answered by one.

    python -m many_rows.worker SYSTEM

A reply has `done`, what the order gives, or `failed`, the reason in one line.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO, TypedDict

from many_rows.systems import SYSTEMS, Conversation, Entry, Limits, System
from many_rows.watch import Row, Seen, Watch


class RowOrder(TypedDict):
    """One row as it comes over the pipe; `target` is what the oracle makes the model write."""

    messages: Conversation
    prompt: str
    target: str | None


@dataclass(frozen=True, slots=True)
class Times:
    """What a run took in seconds; what the watch took is not in it."""

    cpu_s: float
    wall_s: float


class Worker:
    """Carries out orders; each method is one."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._watch = Watch()
        self._watch.install()

    def open(self, model: str, limits: Mapping[str, Any]) -> dict[str, object]:
        start, wanted = time.perf_counter(), Limits(**limits)
        if wanted.fails_with_amx:
            _lay_out_alike()
        self._system: System = self._entry.load()(Path(model), wanted)
        return {"wall_s": time.perf_counter() - start}

    def prepare(self, schema: Mapping[str, object]) -> dict[str, object]:
        start = time.perf_counter()
        self._system.prepare(schema)
        return {"wall_s": time.perf_counter() - start}

    def answer(self, rows: Sequence[RowOrder]) -> dict[str, object]:
        self._watch.start([_watched(row) for row in rows])
        answers, times = self._timed(rows)
        if self._watch.seen.n_calls == 0:
            raise RuntimeError("the model ran where the watch did not see it")
        return {
            "answers": answers,
            **asdict(times),
            **self._watch.seen.to_json(),
            "peak_bytes": _peak_bytes(),
        }

    def profile(self, rows: Sequence[RowOrder]) -> dict[str, object]:
        """Answer `rows` under a profiler; return the seconds of each part of the engine."""
        from many_rows.profiling import profiled

        self._watch.start([_watched(row) for row in rows])
        parts = profiled(lambda: self._timed(rows))
        return parts.to_json(self._watch.seen)

    def scale(self, conversations: Sequence[Conversation]) -> dict[str, object]:
        """Answer conversations unwatched; return only what it took."""
        self._watch.start([])
        rows = [RowOrder(messages=each, prompt="", target=None) for each in conversations]
        _, times = self._timed(rows)
        return {"n_rows": len(rows), **asdict(times), "peak_bytes": _peak_bytes()}

    def _timed(self, rows: Sequence[RowOrder]) -> tuple[list[str], Times]:
        conversations = [row["messages"] for row in rows]
        prompts = [row["prompt"] for row in rows]
        begin, begin_wall = time.process_time(), time.perf_counter()
        answers = self._system.answer(conversations, prompts)
        cpu_s, wall_s = time.process_time() - begin, time.perf_counter() - begin_wall
        seen: Seen = self._watch.seen
        return answers, Times(cpu_s - seen.watch_cpu_s, wall_s - seen.watch_wall_s)


def main() -> None:
    """Serve until the input ends."""
    replies = _private_output()
    worker = Worker(SYSTEMS[sys.argv[1]])
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(_carry_out(getattr(worker, name), arguments)), file=replies, flush=True)


def _carry_out(
    order: Callable[..., dict[str, object]], arguments: Mapping[str, object]
) -> dict[str, object]:
    try:
        return {"done": order(**arguments)}
    except Exception as error:  # noqa: BLE001 - a system that fails is a finding
        return {"failed": " ".join(f"{type(error).__name__}: {error}".split())[:300]}


def _lay_out_alike() -> None:
    """Give the system the layout of weights that ours takes: by itself it may be killed here."""
    import llama_cpp.llama_cpp as native

    from steer_engine.backends.llamacpp_layouts import lay_out

    load, kept = native.llama_model_load_from_file, list[object]()

    def laid_out(path: bytes, params: native.llama_model_params) -> object:
        kept.append(lay_out(params, native, Path(os.fsdecode(path))))
        return load(path, params)

    native.llama_model_load_from_file = laid_out


def _watched(row: RowOrder) -> Row:
    target = row["target"]
    return Row(row["prompt"].encode(), None if target is None else target.encode())


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB


def _private_output() -> TextIO:
    """Return the standard output; whatever the system prints goes to the standard error."""
    private = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return private


if __name__ == "__main__":
    main()
