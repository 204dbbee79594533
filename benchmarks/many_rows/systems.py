"""The systems that are compared, and what each needs to run."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Conversation = Sequence[Mapping[str, str]]
"""Messages with `role` and `content`."""


class System(Protocol):
    """Something that answers conversations with JSON of a schema, as its users would call it."""

    def prepare(self, schema: Mapping[str, object]) -> None:
        """Do what has to be done once for a schema; the conversations that follow are of it."""
        ...

    def answer(self, conversations: Sequence[Conversation], prompts: Sequence[str]) -> list[str]:
        """Return an answer for each; `prompts` are the conversations as the model reads them."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What all systems have in common; `n_ctx` bounds prompt and answer of one row.

    Where llama.cpp `fails_with_amx`, weights are laid out for all as ours does it by itself, which
    takes some 30 MB of a peer's memory.
    """

    n_ctx: int = 1024
    max_tokens: int = 256
    n_threads: int = 1
    fails_with_amx: bool = False


Open = Callable[[Path, Limits], System]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table. `module` has the class that `opens` the system.

    `environment` names the environment that the system runs in, None for the one of this project.
    """

    label: str
    module: str
    opens: str
    environment: str | None = None

    def load(self) -> Open:
        """Return what opens the system; its packages have to be installed."""
        opens: Open = getattr(importlib.import_module(f"many_rows.{self.module}"), self.opens)
        return opens


OURS = "steermagic"
SYSTEMS = {
    OURS: Entry("steermagic", "ours", "Steermagic"),
    "llama_cpp_python": Entry(
        "llama-cpp-python, its JSON-schema grammar", "llama_peers", "WithGrammar"
    ),
    "llama_cpp_python_llguidance": Entry(
        "llama-cpp-python, llguidance processor", "llama_peers", "WithLlguidance"
    ),
    "outlines": Entry("Outlines, llama.cpp", "outlines_peer", "Outlines", "outlines"),
    "guidance": Entry("guidance, llama.cpp", "guidance_peer", "Guidance", "guidance"),
    "unconstrained": Entry("llama-cpp-python, no schema", "llama_peers", "Unconstrained"),
}
