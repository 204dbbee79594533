"""From what a user calls a model to a file or folder on this machine, and what fits there."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from steer_engine.backends.opening import backend_named
from steer_engine.catalogue import (
    Entry,
    GgufModel,
    HubModel,
    LocalModel,
    ModelFacts,
    Places,
    Progress,
    ServerModel,
    Source,
    Watch,
    fetch,
    find_at,
    find_entries,
    find_hub,
    find_places,
    is_url,
    plan_download,
    read_facts,
    read_remote_facts,
    resolve,
    suggestion,
)
from steer_engine.errors import ModelError
from steer_engine.plan import Plan, Room, gigabytes, make_plan

EMBEDDED = "embedded"
"""Name of the model that comes with the package."""

_FOLDER_BACKENDS = frozenset({"mlx", "transformers"})


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model on this machine: `facts`, or what is wrong with its files."""

    name: str
    store: str
    facts: ModelFacts | ModelError


def embedded_path() -> Path:
    """Return the path of the embedded model."""
    return Path(__file__).resolve().parent / "embedded" / "steermagic-tiny.gguf"


def embedded_card() -> str:
    """Return the model card of the embedded model, in Markdown: what it can do and what not."""
    return (embedded_path().parent / "MODEL_CARD.md").read_text(encoding="utf-8")


def announce(progress: Progress) -> None:
    """Say in the log that a download begins; the rest of it is silent."""
    if progress.n_done == 0:
        logging.getLogger(__name__).warning("%s", notice(progress))


def notice(progress: Progress) -> str:
    """Return the line that says what is being downloaded, how much it is, and to where."""
    download = progress.download
    size = gigabytes(download.n_bytes)
    return f"downloading {download.model}, {size}, to {download.folder} (once)"


def find_model(
    model: str | Path | None,
    *,
    backend: str | None = None,
    aliases: Mapping[str, str] | None = None,
    offline: bool = False,
    watch: Watch = announce,
) -> Path:
    """Return the GGUF file or the folder that `model` names; None is the embedded one.

    It may be a path, a name in one of the stores of this machine, or ``owner/repo`` on the hub:
    then it is downloaded, once, and `watch` is told before and meanwhile. A `backend` that reads
    folders prefers them. `offline` forbids downloads, as STEERMAGIC_OFFLINE does.

    Raises:
        ModelError: there is no such model, several could be meant, or it cannot be fetched.
    """
    source = _find(model, aliases or {}, backend=backend)
    if isinstance(source, HubModel):
        source = _fetched(source, aliases or {}, offline=offline, watch=watch)
    if isinstance(source, ServerModel):
        raise ModelError(f"{source.url} is a server, which has no files here")
    return source.path


def bring_here(
    model: str, *, aliases: Mapping[str, str] | None = None, watch: Watch = announce
) -> str:
    """Return what `open_engine` opens without a download: a path, or the address of a server.

    Raises:
        ModelError: see `find_model`.
    """
    name = (aliases or {}).get(model, model)
    if is_url(name):
        return name
    backend, rest = backend_named(name)
    path = find_model(rest, backend=backend, aliases=aliases, watch=watch)
    return f"{backend}:{path}" if backend else str(path)


def list_models() -> list[ListedModel]:
    """Return the models that are on this machine, the embedded one first; only headers are read."""
    embedded = Entry((EMBEDDED,), "comes with steermagic", GgufModel((embedded_path(),)), 0)
    entries = [embedded, *find_entries(_places())]
    return [
        ListedModel(entry.name, entry.store, _facts_or_error(entry.source)) for entry in entries
    ]


def model_names() -> list[tuple[str, ...]]:
    """Return the names of each model on this machine, in full and then shorter; none is opened."""
    return [(EMBEDDED,), *(entry.names for entry in find_entries(_places()))]


def plan_model(
    model: str | Path | None,
    *,
    aliases: Mapping[str, str] | None = None,
    room: Room | None = None,
    offline: bool = False,
) -> Plan:
    """Return how `model` would lie in the memory of this machine; nothing is loaded.

    Of a model that is on the hub some megabytes are fetched, not the model.

    Raises:
        ModelError: it cannot be found, or its header cannot be read.
    """
    from steer_engine.backends.llamacpp_devices import read_machine

    aliases = aliases or {}
    backend, model = backend_named(aliases.get(model, model) if isinstance(model, str) else model)
    source = _find(model, aliases, backend=backend)
    if isinstance(source, ServerModel):
        raise ModelError(f"{source.url} is a server: it takes no memory here")
    if isinstance(source, HubModel):
        hub = find_hub(os.environ, _places(), offline=offline)
        facts = read_remote_facts(hub, plan_download(hub, source))
    else:
        facts = read_facts(source)
    return make_plan(facts, read_machine(), room)


def _find(
    model: str | Path | None, aliases: Mapping[str, str], *, backend: str | None = None
) -> Source:
    name = aliases.get(model, model) if isinstance(model, str) else model
    if name is None or name == EMBEDDED:
        return GgufModel((embedded_path(),))
    wants_folder = backend in _FOLDER_BACKENDS
    if isinstance(name, Path):
        return find_at(name.expanduser(), wants_folder=wants_folder)
    return resolve(name, _places(), others=(EMBEDDED, *aliases), wants_folder=wants_folder)


def _fetched(
    model: HubModel, aliases: Mapping[str, str], *, offline: bool, watch: Watch
) -> LocalModel:
    places = _places()
    hub = find_hub(os.environ, places, offline=offline)
    try:
        return fetch(hub, plan_download(hub, model), watch)
    except ModelError as error:
        close = suggestion(str(model), find_entries(places), (EMBEDDED, *aliases))
        if "did you mean" in close:
            raise ModelError(f"{error}{close}") from error
        raise


def _facts_or_error(source: LocalModel) -> ModelFacts | ModelError:
    try:
        return read_facts(source)
    except ModelError as error:
        return error


def _places() -> Places:
    return find_places(os.environ, Path.home())
