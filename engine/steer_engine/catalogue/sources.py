"""Where a model can be: what a name becomes once it is looked up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class GgufModel:
    """A GGUF model on this machine: its file, or the files it is split into, in order."""

    parts: tuple[Path, ...]

    @property
    def path(self) -> Path:
        """The file to load; llama.cpp finds the other parts beside it."""
        return self.parts[0]


@dataclass(frozen=True, slots=True)
class FolderModel:
    """A folder on this machine, with config.json and safetensors."""

    path: Path


@dataclass(frozen=True, slots=True)
class ServerModel:
    """A server that answers over HTTP."""

    url: str


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model of the hub that is not on this machine: it has to be downloaded.

    `wanted` is a quantization, a file, or None for the usual one.
    """

    repo: str
    wanted: str | None = None

    def __str__(self) -> str:
        return f"{self.repo}:{self.wanted}" if self.wanted else self.repo


LocalModel: TypeAlias = GgufModel | FolderModel
Source: TypeAlias = LocalModel | ServerModel | HubModel
