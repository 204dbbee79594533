"""What a server is, and which model it serves: asked of the server itself."""

from __future__ import annotations

import asyncio
import difflib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from steer_engine.backends import ModelInfo
from steer_engine.errors import ModelError
from steer_engine.remote import profiles
from steer_engine.remote.address import Address
from steer_engine.remote.client import Client, Reply
from steer_engine.remote.credentials import OPENAI_HOST
from steer_engine.remote.payloads import at, list_at, text_at, whole_at
from steer_engine.remote.profiles import Profile
from steer_engine.remote.troubles import Trouble
from steer_engine.schema import JsonValue
from steer_engine.schema.document import dump

_PATIENCE_S = 5.0  # for an address that only one kind of server has
_N_LISTED = 12


@dataclass(frozen=True, slots=True)
class Served:
    """A model of a server: `profile` says what kind that is, `model` is its name there."""

    profile: Profile
    model: str
    info: ModelInfo


async def discover(client: Client, address: Address) -> Served:
    """Return the model that `address` names, or the only one that is there.

    Raises:
        Trouble: the server does not answer.
        ModelError: it has no such model, or several and none is named.
    """
    listed = await _listed(client, address)
    models = [model for model in list_at(listed.payload, "data") if text_at(model, "id")]
    profile, details = await _identified(client, address, listed, models)
    model = _chosen(address, models, running=text_at(details, "model_name"))
    profile = replace(profile, n_parallel=address.n_parallel or _n_parallel(profile, details))
    name = text_at(model, "id")
    return Served(profile, name, _info(address, profile, _described(model, details)))


async def _listed(client: Client, address: Address) -> Reply:
    try:
        return await client.get(f"{address.api}/models")
    except Trouble as trouble:
        if trouble.status != 404 or address.model is None:
            raise
    return Reply(None, {})  # it has no list, and the address says what is needed


async def _identified(
    client: Client, address: Address, listed: Reply, models: list[JsonValue]
) -> tuple[Profile, JsonValue]:
    """Return what kind of server it is, and what it says of itself in its own words."""
    owners = {text_at(model, "owned_by") for model in models}
    if address.host == OPENAI_HOST:
        return profiles.OPENAI, None
    if "vllm" in owners:
        return profiles.VLLM, None
    if "sglang" in owners:
        return profiles.SGLANG, None
    if "llamafile" in listed.headers.get("server", "").lower():
        return profiles.LLAMAFILE, await _asked(client, f"{address.root}/props")
    if "llama.cpp" in listed.headers.get("server", "") or "llamacpp" in owners:
        return profiles.LLAMA_SERVER, await _asked(client, f"{address.root}/props")
    if "me" in owners and "openai-processing-ms" in listed.headers:
        return profiles.LLAMA_CPP_PYTHON, None
    return await _recognised(client, address, listed)


async def _recognised(client: Client, address: Address, listed: Reply) -> tuple[Profile, JsonValue]:
    """Tell those servers apart that have an address which no other has."""
    details = await asyncio.gather(*(_asked(client, address.root + path) for path, _, _ in _OWN))
    for (_, profile, is_its), found in zip(_OWN, details, strict=True):
        if is_its(found):
            return profile, found
    if listed.headers.get("server", "").startswith("BaseHTTP"):
        return profiles.MLX_LM, None
    return profiles.UNKNOWN, None


_OWN: tuple[tuple[str, Profile, Callable[[JsonValue], bool]], ...] = (
    (
        "/api/tags",
        profiles.OLLAMA_SERVER,
        lambda found: bool(text_at(found, "models", 0, "digest")),
    ),
    ("/api/v0/models", profiles.LM_STUDIO, lambda found: bool(text_at(found, "data", 0, "state"))),
    (
        "/v1/internal/model/info",
        profiles.TEXT_GENERATION_WEBUI,
        lambda found: bool(text_at(found, "model_name")),
    ),
)


async def _asked(client: Client, url: str) -> JsonValue:
    """Return what stands at `url`, or None: most servers have no such address."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return (await client.get(url)).payload
    except (Trouble, TimeoutError):
        return None


def _chosen(address: Address, models: list[JsonValue], *, running: str) -> JsonValue:
    """Return the model that the address names; without a name, the one that is there or runs."""
    named = {text_at(model, "id"): model for model in models}
    ids = [*named]
    wanted = address.model
    if wanted is None:
        wanted = running or (ids[0] if len(ids) == 1 else None)
    if wanted is None:
        raise ModelError(_several(address, ids) if ids else f"{address.root} serves no model")
    if not ids:
        return {"id": wanted}
    if wanted in named:
        return named[wanted]
    meant = [each for each in ids if wanted in _short_names(each)]
    if len(meant) == 1:
        return named[meant[0]]
    if meant:
        raise ModelError(_several(address, meant, called=wanted))
    if "?" in wanted:
        raise ModelError(f"write what is behind the ? in front of the #: {address.root}?…#model")
    close = difflib.get_close_matches(wanted, ids, n=1)
    hint = f"did you mean #{close[0]}?" if close else f"it has {_shown(ids)}"
    raise ModelError(f"{address.root} has no model {wanted!r}; {hint}")


def _short_names(name: str) -> tuple[str, str]:
    return name.removesuffix(":latest"), name.rpartition("/")[2]


def _several(address: Address, ids: list[str], *, called: str = "") -> str:
    found = f"several models called {called!r}" if called else "several models"
    return f"{address.root} has {found}; write {address.root}#NAME with one of {_shown(ids)}"


def _shown(ids: list[str]) -> str:
    more = f" and {len(ids) - _N_LISTED} more" if len(ids) > _N_LISTED else ""
    return ", ".join(ids[:_N_LISTED]) + more


def _n_parallel(profile: Profile, details: JsonValue) -> int:
    return whole_at(details, "total_slots") or profile.n_parallel


def _described(model: JsonValue, details: JsonValue) -> JsonValue:
    """Return what the server's own words say of `model`, beside what OpenAI's say."""
    name = text_at(model, "id")
    for own in (*list_at(details, "models"), *list_at(details, "data")):
        if name in (text_at(own, "id"), text_at(own, "name")) and isinstance(own, dict):
            return {**own, **(model if isinstance(model, dict) else {})}
    return model


def _info(address: Address, profile: Profile, model: JsonValue) -> ModelInfo:
    name = text_at(model, "id")
    # Only what stays the same from one question to the next.
    telling = [at(model, each) for each in ("id", "root", "meta", "digest", "size", "quantization")]
    return ModelInfo(
        name=name.rpartition("/")[2].removesuffix(".gguf") or name,
        path=f"{address.api.removesuffix('/v1')}#{name}",
        architecture=profile.name,
        quantization=text_at(model, "meta", "ftype")
        or text_at(model, "details", "quantization_level")
        or text_at(model, "quantization"),
        n_params=whole_at(model, "meta", "n_params"),
        size_bytes=whole_at(model, "meta", "size") or whole_at(model, "size"),
        context_length=whole_at(model, "max_model_len")
        or whole_at(model, "meta", "n_ctx")
        or whole_at(model, "loaded_context_length"),
        embedded=False,
        fingerprint=hashlib.sha256(dump([address.root, *telling]).encode()).hexdigest(),
    )
