"""llama.cpp's own server on this machine, from xllamacpp's wheel, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.cpuparams.n_threads, params.n_parallel = int(sys.argv[2]), int(sys.argv[3])
params.n_ctx = 1024 * params.n_parallel
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def llama_server(model: Path, *, n_threads: int = 1, n_slots: int = 4) -> Iterator[tuple[str, int]]:
    """Start a server; give its address and the id of its process.

    Each slot holds 1,024 tokens. The server ends with the context, or with this process.
    """
    command = [sys.executable, "-c", _PROGRAM, str(model), str(n_threads), str(n_slots)]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=pipe, stdout=pipe, stderr=nowhere, text=True
    ) as process:
        try:
            yield _address(process), process.pid
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    for line in process.stdout or ():
        if line.startswith("http://"):
            return line.strip()
    raise RuntimeError("the server ended before it had an address")
