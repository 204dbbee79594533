"""Where other programs keep their models on this machine."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")  # as in a file of settings, which no shell reads


@dataclass(frozen=True, slots=True)
class Places:
    """The folders that are looked through. They need not exist."""

    hub: Path
    ollama: tuple[Path, ...]
    lmstudio: tuple[Path, ...]
    llamacpp: Path


def find_places(environment: Mapping[str, str], home: Path) -> Places:
    """Return the places that the environment names, else the usual ones below `home`."""

    def named(*variables: str) -> Path | None:
        given = next((environment[each] for each in variables if environment.get(each)), None)
        if given is None:
            return None
        path = re.sub(r"^~(?=/|$)", lambda _: str(home), given)
        return Path(_VARIABLE.sub(lambda name: environment.get(name[1] or name[2], name[0]), path))

    caches = _caches(environment, home)
    huggingface = named("HF_HOME") or (named("XDG_CACHE_HOME") or home / ".cache") / "huggingface"
    ollama = named("OLLAMA_MODELS")
    return Places(
        hub=named("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") or huggingface / "hub",
        # As a service it has a user of its own.
        ollama=(ollama,)
        if ollama
        else (home / ".ollama" / "models", Path("/usr/share/ollama/.ollama/models")),
        lmstudio=(home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"),
        llamacpp=named("LLAMA_CACHE") or caches / "llama.cpp",
    )


def _caches(environment: Mapping[str, str], home: Path) -> Path:
    if sys.platform == "darwin":
        return home / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA", home / "AppData" / "Local"))
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
