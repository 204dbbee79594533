"""What the memory plan says a model takes, beside what it was measured to take.

    python benchmarks/memory_plan.py [MODEL.gguf ...] [--contexts 512,2048,8192] [--slots 1,8,32]

Each line is a process of its own, which loads the model (by default the embedded one), answers a
short row, then fills the context with the tokens of all slots and takes logits of each. `peak` is
the most memory that the process had (VmHWM on Linux, the peak working set elsewhere): all of it,
Python and the libraries included. `planned` is what `%steer plan MODEL --ctx N --slots N` says of
it, from the file's header alone; of that, a constant (`library_mb`) stands for Python and the
libraries, which is most of what the embedded model takes at short contexts. Weights are mapped
from the file: they count once they are read. The last line of output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from steer_engine.backends import Run
from steer_engine.backends.llamacpp_devices import read_machine
from steer_engine.backends.opening import open_backend
from steer_engine.catalogue import find_at, read_facts
from steer_engine.engine import Engine
from steer_engine.events import Request, RowDone
from steer_engine.models import embedded_path
from steer_engine.plan import PROCESS, Room, make_plan
from steer_engine.prompting import Message
from steer_engine.schema import read_schema

_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 8}, "kind": {"enum": ["a", "b"]}},
    "required": ["name", "kind"],
}


@dataclass(frozen=True)
class Measured:
    """Bytes."""

    peak: int
    planned: int

    @property
    def error(self) -> float:
        """How far the plan is off the peak, as a share of it."""
        return self.planned / self.peak - 1


def main() -> None:
    """Measure and print, the last line as JSON."""
    options = _options()
    if options.one:
        print(
            json.dumps(asdict(_measure(options.models[0], options.contexts[0], options.slots[0])))
        )
        return
    errors = list[float]()
    print(f"{'model':<20} {'context':>8} {'slots':>5} {'peak MB':>8} {'planned':>8} {'error':>7}")
    for path, n_tokens, n_slots in product(options.models, options.contexts, options.slots):
        found = _in_own_process(path, n_tokens, n_slots)
        errors.append(found.error)
        print(
            f"{path.stem[:20]:<20} {n_tokens:>8} {n_slots:>5} {found.peak / 1e6:>8.0f}"
            f" {found.planned / 1e6:>8.0f} {found.error:>+7.1%}",
            flush=True,
        )
    worst = round(max(map(abs, errors)), 3)
    print(json.dumps({"worst_error": worst, "library_mb": round(PROCESS / 1e6)}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path, default=[embedded_path()])
    parser.add_argument("--contexts", type=_numbers, default=[512, 2048, 8192])
    parser.add_argument("--slots", type=_numbers, default=[1, 8, 32])
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def _in_own_process(path: Path, n_tokens: int, n_slots: int) -> Measured:
    numbers = ["--contexts", str(n_tokens), "--slots", str(n_slots)]
    command = [sys.executable, __file__, str(path), *numbers, "--one"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _measure(path: Path, n_tokens: int, n_slots: int) -> Measured:
    plan = make_plan(read_facts(find_at(path)), read_machine(), Room(n_tokens, n_slots))
    backend = open_backend(path)
    row = Request(0, (Message("user", "hello"),), read_schema(_SCHEMA), max_tokens=64)
    assert any(isinstance(event, RowDone) for event in Engine(backend).run([row]))
    backend.reserve(n_slots=n_slots, n_tokens=n_tokens)
    n_each = n_tokens // n_slots
    text = backend.vocabulary.tokenize("a table of names and numbers ", parse_special=False)
    tokens = (text * n_each)[:n_each]
    backend.forward([Run(slot, tokens[:-1], 1) for slot in range(n_slots)])
    backend.forward([Run(slot, tokens[-1:], 1) for slot in range(n_slots)])
    return Measured(_peak(), plan.ram.total)


def _peak() -> int:
    n = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return n if sys.platform == "darwin" else n * 1024


if __name__ == "__main__":
    main()
