"""The models that other programs keep on this machine, by the names that a user may give them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from steer_engine.catalogue.choice import USUAL, FileGroup, group_files
from steer_engine.catalogue.folders import TOKENIZER, is_model_folder, weight_files
from steer_engine.catalogue.places import Places
from steer_engine.catalogue.sources import FolderModel, GgufModel, LocalModel

SAFETENSORS = "safetensors"
"""What stands for a folder where a quantization stands for a file: ``owner/repo:safetensors``."""

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_MODEL_LAYER = "application/vnd.ollama.image.model"
_LATEST = "latest"
_OLLAMA = "registry.ollama.ai"
_MAX_MANIFEST = 2**20  # bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A model in a store. The first of `names` tells it from all others; the rest are shorter.

    `is_usual` marks the one that a shorter name means where several have it.
    """

    names: tuple[str, ...]
    store: str
    source: LocalModel
    size_bytes: int
    is_usual: bool = False

    @property
    def name(self) -> str:
        """The name that is shown."""
        return self.names[0]


def find_entries(places: Places) -> list[Entry]:
    """Return what the stores have; what is not whole is left out."""
    found = [*_hub(places.hub), *_llamacpp(places.llamacpp)]
    found += [entry for root in places.lmstudio for entry in _lmstudio(root)]
    found += [entry for root in places.ollama for entry in _ollama(root)]
    return found


def _hub(cache: Path) -> Iterator[Entry]:
    for folder in _folders(cache, "models--*"):
        repo = folder.name.removeprefix("models--").replace("--", "/", 1)
        seen = set[str]()
        # A file stays in the snapshot of the commit that it was downloaded from.
        for snapshot in _snapshots(folder):
            entries = _repo(snapshot, repo, "Hugging Face cache")
            new = [entry for entry in entries if entry.name not in seen]
            seen |= {entry.name for entry in new}
            yield from new


def _snapshots(folder: Path) -> list[Path]:
    """Return the commits of a cached repository: its main branch, then the newest first."""
    try:
        commit = (folder / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        commit = ""  # a revision was downloaded by its hash
    found = _folders(folder / "snapshots", "*")
    return sorted(found, key=lambda each: (each.name == commit, each.stat().st_mtime), reverse=True)


def _lmstudio(root: Path) -> Iterator[Entry]:
    for folder in _folders(root, "*/*"):
        yield from _repo(folder, f"{folder.parent.name}/{folder.name}", "LM Studio")


def _repo(folder: Path, repo: str, store: str) -> Iterator[Entry]:
    """Yield the models of a folder that is laid out as a repository is."""
    for group in _groups(folder):
        parts = tuple(folder / file for file in group.files)
        names = [f"{repo}:{each}" for each in (group.label, parts[0].name) if each]
        yield Entry(
            (*names, repo), store, GgufModel(parts), _size(parts), is_usual=group.label == USUAL
        )
    # Other programs may have fetched the weights alone.
    if is_model_folder(folder) and (folder / TOKENIZER).is_file():
        size = _size(weight_files(folder))
        yield Entry((f"{repo}:{SAFETENSORS}", repo), store, FolderModel(folder), size)


def _llamacpp(cache: Path) -> Iterator[Entry]:
    for group in _groups(cache):
        parts = tuple(cache / file for file in group.files)
        names = (parts[0].name, parts[0].stem)
        yield Entry(names, "llama.cpp cache", GgufModel(parts), _size(parts))


def _groups(folder: Path) -> list[FileGroup]:
    files = (file.relative_to(folder).as_posix() for file in _files(folder, "**/*.gguf"))
    # One that is not whole is being downloaded.
    return [group for group in group_files(files) if group.is_whole]


def _ollama(root: Path) -> Iterator[Entry]:
    for manifest in _files(root / "manifests", "*/*/*/*"):
        blob = _ollama_blob(manifest, root / "blobs")
        if blob is None:
            continue
        name, tag = _ollama_name(manifest.parent), manifest.name
        yield Entry(
            (f"ollama:{name}:{tag}", f"{name}:{tag}", f"ollama:{name}", name),
            "Ollama",
            GgufModel((blob,)),
            _size((blob,)),
            is_usual=tag == _LATEST,
        )


def _ollama_name(folder: Path) -> str:
    """Return what Ollama calls the models of a folder: without what goes without saying."""
    host, owner, model = folder.parts[-3:]
    if host != _OLLAMA:
        return f"{host}/{owner}/{model}"
    return model if owner == "library" else f"{owner}/{model}"


def _ollama_blob(manifest: Path, blobs: Path) -> Path | None:
    """Return the GGUF file of a manifest; None where it has none, or is being written."""
    try:
        with manifest.open("rb") as file:
            said = json.loads(file.read(_MAX_MANIFEST))
        digests = [
            layer["digest"] for layer in said["layers"] if layer.get("mediaType") == _MODEL_LAYER
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    found = [_DIGEST.fullmatch(str(digest)) for digest in digests]
    if len(found) != 1 or found[0] is None:
        return None
    blob = blobs / f"sha256-{found[0][1]}"
    return blob if blob.is_file() else None


def _folders(root: Path, pattern: str) -> list[Path]:
    return _matching(root, pattern, Path.is_dir)


def _files(root: Path, pattern: str) -> list[Path]:
    return _matching(root, pattern, Path.is_file)


def _matching(root: Path, pattern: str, is_wanted: Callable[[Path], bool]) -> list[Path]:
    try:
        return sorted(path for path in root.glob(pattern) if is_wanted(path))
    except OSError:
        return []  # a store of another user that we may not look into


def _size(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files)
