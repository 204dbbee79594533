"""From what a user calls a model to where it is.

A name is looked up on this machine first. What is not here and looks like ``owner/repo`` is a model
of the hub; nothing is downloaded for that.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

from steer_engine.catalogue.choice import FileGroup, check_whole, choose, group_files
from steer_engine.catalogue.folders import is_model_folder
from steer_engine.catalogue.gguf import MAGIC
from steer_engine.catalogue.places import Places
from steer_engine.catalogue.sources import (
    FolderModel,
    GgufModel,
    HubModel,
    LocalModel,
    ServerModel,
    Source,
)
from steer_engine.catalogue.stores import SAFETENSORS, Entry, find_entries
from steer_engine.errors import ModelError

_HUB_ID = re.compile(r"([\w.-]+/[\w.-]+)(?::([^:]+))?")
_HUB_PAGE = re.compile(
    r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)(?:/([^?#]*))?(?:[?#].*)?", re.IGNORECASE
)
_MODEL_PAGE = re.compile(
    r"([\w.-]+/[\w.-]+)(?::([^:/]+))?(?:/(?:blob|resolve|tree)/([^/]+)(?:/(.+))?)?/?"
)
_EXPLICIT = ("./", "../", "~", ".\\", "..\\")
_MAX_LISTED = 8


def resolve(
    name: str, places: Places, *, others: Iterable[str] = (), wants_folder: bool = False
) -> Source:
    """Return where the model is that `name` means, looking through `places`.

    `others` are more names that could have been meant, for the message. With `wants_folder`,
    ``owner/repo`` alone means its safetensors, here and on the hub.

    Raises:
        ModelError: there is no such model, or several could be meant; the message lists them.
    """
    if is_url(name):
        return _server(name)
    name = _without_host(name)
    path = _as_path(name)
    if name.startswith(_EXPLICIT) or path.is_absolute():
        return find_at(path, wants_folder=wants_folder)
    entries = find_entries(places)
    asked = _asked(name, wants_folder=wants_folder)
    found = named(asked, entries)
    if path.exists() and not found:
        return find_at(path, wants_folder=wants_folder)
    if path.exists():
        raise ModelError(
            f"{name!r} is a path here and a model of {found[0].store}; write ./{path} or"
            f" {found[0].name}"
        )
    if found:
        return _only(asked, found).source
    if name.casefold().endswith(".gguf") and ":" not in name:
        return find_at(path)
    hub_id = _HUB_ID.fullmatch(asked)
    if hub_id is not None:
        return HubModel(hub_id[1], hub_id[2])
    raise ModelError(f"there is no model {name!r}{suggestion(name, entries, others)}")


def is_url(name: str) -> bool:
    """Tell whether `name` is an address of a server; a page of the hub is a model's."""
    is_web = name.casefold().startswith(("http://", "https://"))
    return is_web and _HUB_PAGE.fullmatch(name) is None


def _without_host(name: str) -> str:
    """Return how a model is called whose page on the hub was named."""
    page = _HUB_PAGE.fullmatch(name)
    if page is None:
        return name
    model = _MODEL_PAGE.fullmatch(unquote(page[1] or ""))
    if model is None:
        raise ModelError(f"{name} is a page of the hub, and not of a model; write owner/repo")
    repo, wanted, revision, file = model.groups()
    if revision not in (None, "main"):
        raise ModelError(
            f"{name} is the version {revision!r}, and only main is downloaded; write {repo}, or"
            " download the file yourself and name its path"
        )
    if file and file.casefold().endswith(".gguf"):
        wanted = file
    return f"{repo}:{wanted}" if wanted else repo


def _asked(name: str, *, wants_folder: bool) -> str:
    hub_id = _HUB_ID.fullmatch(name) if wants_folder else None
    return name if hub_id is None or hub_id[2] else f"{name}:{SAFETENSORS}"


def _server(url: str) -> ServerModel:
    if url.casefold().endswith((".gguf", ".safetensors")):
        raise ModelError(f"{url} is a file; download it and name its path, or write owner/repo")
    return ServerModel(url)


def _as_path(name: str) -> Path:
    try:
        path = Path(name).expanduser()
        path.exists()
    except (RuntimeError, OSError, ValueError) as error:
        # An unknown ~user, a name that is too long, a null byte.
        raise ModelError(f"{name!r} cannot be a path: {error}") from error
    if not name.strip():
        raise ModelError("the name of the model is empty; `%steer models` lists what is here")
    return path


def find_at(path: Path, *, wants_folder: bool = False) -> LocalModel:
    """Return the model at `path`: a GGUF file, one of its parts, or a folder.

    Of a folder that has both, `wants_folder` takes the safetensors instead of the GGUF file.

    Raises:
        ModelError: there is none.
    """
    if path.is_dir():
        return _in_folder(path.resolve(), wants_folder=wants_folder)
    if not path.is_file():
        raise ModelError(f"there is no model file {path}{_close_to(path)}")
    _check_magic(path)
    # The hub's cache links to files without names; a link of the user's may lead to one of several.
    found = [(each.parent, _group_of(each)) for each in (path.absolute(), path.resolve())]
    folder, group = max(found, key=lambda each: (each[1].n_parts, len(each[1].files)))
    return GgufModel(tuple(folder / file for file in check_whole(group).files))


def _group_of(path: Path) -> FileGroup:
    """Return the files beside `path` that are one model with it."""
    groups = group_files(_names(path.parent))
    return next((each for each in groups if path.name in each.files), FileGroup("", (path.name,)))


def _in_folder(folder: Path, *, wants_folder: bool) -> LocalModel:
    groups = group_files(_names(folder))
    if (wants_folder or not groups) and is_model_folder(folder):
        return FolderModel(folder)
    if not groups:
        raise ModelError(
            f"{folder} is a folder without a model: it has no .gguf file, and not config.json with"
            " all of its safetensors"
        )
    if len(groups) > 1:
        names = ", ".join(group.files[0] for group in groups[:_MAX_LISTED])
        raise ModelError(f"{folder} is a folder; name a .gguf file in it: {names}")
    chosen = choose(groups, None, where=str(folder))
    return GgufModel(tuple(folder / file for file in chosen.files))


def _names(folder: Path) -> list[str]:
    try:
        return [file.name for file in folder.iterdir() if file.is_file()]
    except OSError as error:
        raise ModelError(f"{folder} cannot be read: {error.strerror}") from error


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    if magic != MAGIC:
        raise ModelError(
            f"{path} is not a GGUF file; llama.cpp models end in .gguf"
            " (of a model in safetensors name the folder)"
        )


def _close_to(path: Path) -> str:
    if not path.parent.is_dir():
        return f"; the folder {path.parent} does not exist"
    names = [file.name for file in path.parent.glob("*.gguf")]
    close = difflib.get_close_matches(path.name, names, n=1)
    return (
        f"; did you mean {close[0]}?" if close else f"; {path.parent} has {len(names)} .gguf files"
    )


def named(name: str, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that `name` may mean: those it names in full, else those it shortens."""
    asked = name.casefold()
    exact = [entry for entry in entries if entry.name.casefold() == asked]
    return exact or [
        entry for entry in entries if asked in (each.casefold() for each in entry.names)
    ]


def _only(name: str, found: Sequence[Entry]) -> Entry:
    usual = [entry for entry in found if entry.is_usual] or found
    # Two programs may have downloaded the same file.
    if len({(entry.name, entry.size_bytes) for entry in usual}) == 1:
        return usual[0]
    names = [entry.name for entry in usual]
    listed = ", ".join(
        f"{entry.name if names.count(entry.name) == 1 else entry.source.path} ({entry.store})"
        for entry in usual[:_MAX_LISTED]
    )
    raise ModelError(f"{name!r} can mean several models: {listed}; write one of these")


def suggestion(name: str, entries: Sequence[Entry], others: Iterable[str] = ()) -> str:
    """Return what to do next about a name that is not known: the closest one, if one is close."""
    known = {each.casefold(): each for entry in entries for each in entry.names}
    known |= {each.casefold(): each for each in others}
    close = difflib.get_close_matches(name.casefold(), known, n=1)
    if close:
        return f"; did you mean {known[close[0]]!r}?"
    return "; `%steer models` lists what is here, and owner/repo names a model of the hub"
