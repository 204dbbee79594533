"""Servers on this machine: real ones with the embedded model, and one that misbehaves as told."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec

import httpx
import pytest

from stand_in import QUICK, StandIn
from steer_engine.models import embedded_path
from steer_engine.remote import RemoteEngine


@pytest.fixture
def stand_in() -> Iterator[Callable[..., StandIn]]:
    """Starts servers that are told how to answer; they are closed after the test."""
    with ExitStack() as stack:
        yield lambda *told, **options: stack.enter_context(closing(StandIn(*told, **options)))


@pytest.fixture
def engine_at() -> Iterator[Callable[..., RemoteEngine]]:
    """Opens engines, which are closed after the test."""
    with ExitStack() as stack:

        def open_at(server: StandIn | str, suffix: str = "", **options) -> RemoteEngine:
            url = server if isinstance(server, str) else server.url
            options = {"patience": QUICK, **options}
            return stack.enter_context(RemoteEngine(url + suffix, **options))

        yield open_at


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEERMAGIC_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="session")
def llama_cpp_python() -> Iterator[str]:
    """The address of llama-cpp-python's server, with the embedded model."""
    if find_spec("uvicorn") is None or find_spec("sse_starlette") is None:
        pytest.skip("llama_cpp.server is not installed: pip install --group test")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"--model": embedded_path(), "--port": port, "--n_ctx": 1024, "--n_threads": 1}
    words = [str(word) for pair in options.items() for word in pair]
    with _process([sys.executable, "-m", "llama_cpp.server", *words]) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/v1/models", process)
        yield url


@contextmanager
def _process(command: list[str], **options) -> Iterator[subprocess.Popen]:
    """A process that ends with the test run."""
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stderr=nowhere, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def _wait_for(url: str, process: subprocess.Popen) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"nothing answers at {url}")
