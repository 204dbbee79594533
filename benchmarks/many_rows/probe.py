"""Does llama-cpp-python run a model on this machine as it is? `python -m many_rows.probe MODEL`.

llama.cpp lays weights out anew for the processor's matrix instructions. Some virtual machines
advertise these and refuse them, and then the first prompt kills the process.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from many_rows.environments import worker_variables


def runs_as_it_is(model: Path) -> bool:
    """Tell whether a process that reads a prompt with default parameters survives it."""
    command: list[str | Path] = [sys.executable, "-m", "many_rows.probe", model]
    done = subprocess.run(  # noqa: S603 - our own module
        command, env=worker_variables(), capture_output=True, check=False
    )
    return done.returncode == 0


def main() -> None:
    """Read a prompt of 64 tokens."""
    from llama_cpp import Llama

    Llama(sys.argv[1], n_ctx=256, n_threads=1, n_threads_batch=1, verbose=False).eval([1] * 64)


if __name__ == "__main__":
    main()
