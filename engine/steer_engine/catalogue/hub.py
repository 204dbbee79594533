"""What the Hugging Face hub has of a model, and which of its files are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from steer_engine.catalogue.choice import choose, group_files
from steer_engine.catalogue.folders import CONFIG, INDEX, TOKENIZER, parts_of, weight_names
from steer_engine.catalogue.places import Places
from steer_engine.catalogue.safetensors import MAX_HEADER, parse_settings
from steer_engine.catalogue.sources import HubModel
from steer_engine.catalogue.stores import SAFETENSORS
from steer_engine.errors import ModelError, environment_error

if TYPE_CHECKING:
    from httpx2 import Response
    from huggingface_hub.hf_api import ModelInfo, RepoSibling

T = TypeVar("T")

_TRUE = frozenset({"1", "on", "yes", "true"})
_BESIDE_WEIGHTS = (
    CONFIG, "generation_config.json", TOKENIZER, "tokenizer_config.json", "tokenizer.model",
    "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
    "chat_template.jinja", "chat_template.json", INDEX,
)  # fmt: skip
_TIMEOUT_S = 30.0
_CHUNK = 2**18  # bytes


@dataclass(frozen=True, slots=True)
class Hub:
    """Where models are downloaded from, and to. `endpoint` None is the library's own."""

    cache: Path
    endpoint: str | None
    is_offline: bool


def find_hub(environment: Mapping[str, str], places: Places, *, offline: bool = False) -> Hub:
    """Return the hub that the environment names; each of three switches takes it off line."""
    forbidden = (environment.get(each, "") for each in ("STEERMAGIC_OFFLINE", "HF_HUB_OFFLINE"))
    is_offline = offline or any(value.casefold() in _TRUE for value in forbidden)
    return Hub(places.hub, environment.get("HF_ENDPOINT") or None, is_offline)


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository. `sha256` is None for a small one, which the hub hashes otherwise."""

    name: str
    n_bytes: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file where it is, to be read in parts."""

    hub: Hub
    repo: str
    commit: str
    file: HubFile

    @contextmanager
    def opened(self, *, first: int, last: int | None = None) -> Iterator[Response]:
        """Ask for the bytes from `first` on, up to `last`.

        Raises:
            HTTPError: the hub refuses, or the connection breaks.
        """
        from huggingface_hub import get_session, hf_hub_url, hf_raise_for_status
        from huggingface_hub.utils._headers import build_hf_headers  # its own package hides it

        url = hf_hub_url(
            self.repo, self.file.name, revision=self.commit, endpoint=self.hub.endpoint
        )
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if first or last is not None:
            headers["Range"] = f"bytes={first}-{'' if last is None else last}"
        # The client takes the token out of a request that is sent on to another host.
        with get_session().stream(
            "GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT_S
        ) as response:
            hf_raise_for_status(response)
            yield response

    def read(self, *, first: int, last: int) -> bytes:
        """Return the bytes from `first` up to `last`; more where the hub sends whole files alone.

        Raises:
            HTTPError: see `opened`.
            ModelError: the hub does not send parts of files, and the first is not asked for.
        """
        chunks, n_bytes = list[bytes](), 0
        with self.opened(first=first, last=last) as response:
            if response.status_code != 206 and first:
                raise ModelError(
                    f"{self.repo} is on a hub that does not send parts of files: its size cannot be"
                    " told before it is downloaded"
                )
            for chunk in response.iter_bytes(_CHUNK):
                chunks.append(chunk)
                n_bytes += len(chunk)
                if n_bytes > last - first:
                    break
        return b"".join(chunks)


@dataclass(frozen=True, slots=True)
class Download:
    """What has to come from the hub for a model, and the folder it goes to."""

    model: HubModel
    commit: str
    files: tuple[HubFile, ...]
    folder: Path

    @property
    def n_bytes(self) -> int:
        """How much it is."""
        return sum(file.n_bytes for file in self.files)

    def parts(self, hub: Hub) -> list[RemoteFile]:
        """Return the files as they can be read from `hub`."""
        return [RemoteFile(hub, self.model.repo, self.commit, file) for file in self.files]

    @property
    def is_gguf(self) -> bool:
        """Whether it is GGUF; otherwise it is a folder."""
        return self.files[0].name.casefold().endswith(".gguf")


def plan_download(hub: Hub, model: HubModel) -> Download:
    """Ask the hub which files `model` has, and return those that are needed.

    Raises:
        ModelError: there is no such model or file, the hub cannot be asked, or must not be.
    """
    if hub.is_offline:
        raise ModelError(
            f"{model} is not on this machine, and STEERMAGIC_OFFLINE or HF_HUB_OFFLINE forbids to"
            " download it"
        )
    check_installed()
    _check_environment(hub)
    info = told(hub, model, lambda: _info(hub, model.repo))
    commit = info.sha or ""
    parts = [RemoteFile(hub, model.repo, commit, _file(said)) for said in info.siblings or ()]
    files = told(hub, model, lambda: _needed(model, {part.file.name: part for part in parts}))
    folder = hub.cache / f"models--{model.repo.replace('/', '--')}"
    return Download(model, commit, files, folder)


def _check_environment(hub: Hub) -> None:
    """Raise `ModelError` if nothing can be asked with what the environment sets."""
    from httpx2 import InvalidURL
    from huggingface_hub import get_session
    from huggingface_hub.utils._headers import build_hf_headers

    if hub.endpoint and not hub.endpoint.casefold().startswith(("http://", "https://")):
        raise ModelError("HF_ENDPOINT is no address; it begins with https://")
    if not all(value.isascii() for value in build_hf_headers().values()):
        raise ModelError("HF_TOKEN has a character that is in no token; copy it again")
    problem = ""
    try:
        get_session()
    except InvalidURL:
        problem = "a proxy's address cannot be read"  # its words may hold a password
    except (ImportError, OSError, ValueError) as error:
        problem = str(error)
    if problem:
        raise environment_error(problem)


def _info(hub: Hub, repo: str) -> ModelInfo:
    from httpx2 import InvalidURL
    from huggingface_hub import HfApi
    from huggingface_hub.errors import FileMetadataError, HfHubHTTPError, HFValidationError

    try:
        return HfApi(endpoint=hub.endpoint).model_info(
            repo, files_metadata=True, timeout=_TIMEOUT_S
        )
    except (HfHubHTTPError, HFValidationError):
        raise
    except (AttributeError, InvalidURL, KeyError, TypeError, ValueError) as error:
        # The library takes any reply for the hub's, also the page of a proxy.
        raise FileMetadataError from error


def _file(said: RepoSibling) -> HubFile:
    sha256 = said.lfs.sha256 if said.lfs is not None else None
    n_bytes = said.size or (said.lfs.size if said.lfs is not None else 0)
    return HubFile(said.rfilename, n_bytes or 0, sha256)


def _needed(model: HubModel, parts: Mapping[str, RemoteFile]) -> tuple[HubFile, ...]:
    from huggingface_hub.errors import FileMetadataError

    groups = group_files(parts)
    if model.wanted == SAFETENSORS or (model.wanted is None and not groups):
        names = _of_folder(model, parts)
    else:
        names = choose(groups, model.wanted, where=model.repo).files
    files = tuple(parts[name].file for name in names)
    if any(file.sha256 and not file.n_bytes for file in files):
        raise FileMetadataError  # how large a file is says when it is whole
    return files


def _of_folder(model: HubModel, parts: Mapping[str, RemoteFile]) -> tuple[str, ...]:
    """Return the weights in safetensors, and what is read beside them."""
    weights = weight_names(parts.keys(), lambda: _listed(parts[INDEX]))
    if CONFIG not in parts or not weights or not parts.keys() >= set(weights):
        raise ModelError(
            f"{model.repo} has no .gguf file, and no folder of safetensors; name another"
        )
    if TOKENIZER not in parts:
        raise ModelError(
            f"{model.repo} has no {TOKENIZER}, without which it cannot be steered; name another, or"
            " a version of it in GGUF"
        )
    return (*(name for name in _BESIDE_WEIGHTS if name in parts), *weights)


def _listed(index: RemoteFile) -> list[str]:
    where = f"{INDEX} of {index.repo}"
    return parts_of(parse_settings(index.read(first=0, last=MAX_HEADER - 1), where), where)


def check_installed() -> None:
    """Raise `ModelError` if the library for downloads is not installed."""
    try:
        import huggingface_hub  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ModelError(
            'huggingface_hub is not installed; run: pip install "steermagic[hub]", or download the'
            " file yourself and name its path"
        ) from error


def told(hub: Hub, model: HubModel, work: Callable[[], T]) -> T:
    """Do `work` with the hub, and tell what goes wrong in one line.

    What the library says is not repeated, nor chained: it may hold a token or a signed address.

    Raises:
        ModelError: the hub refuses, cannot be reached, or the disk fails.
    """
    from httpx2 import HTTPError
    from huggingface_hub.errors import HFValidationError

    try:
        return work()
    except (HTTPError, HFValidationError, OSError) as error:
        reason = _reason(error, hub)
    raise ModelError(f"{model} {reason}")


def _reason(error: Exception, hub: Hub) -> str:
    """Return what is wrong and what to do, in our words alone."""
    from httpx2 import HTTPError
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return "is gated: accept its terms on its page, then set HF_TOKEN to your token"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "is not on the hub, or is private (then set HF_TOKEN to your token)"
    if isinstance(error, errors.HfHubHTTPError):
        return _refusal(error.response.status_code)
    if isinstance(error, errors.HFValidationError):
        return "is not a name that the hub can have; write owner/repo"
    if isinstance(error, errors.FileMetadataError):
        return "cannot be fetched: what answers is no hub; look at HF_ENDPOINT and the proxy"
    unreachable = (HTTPError, errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled)
    if isinstance(error, unreachable):
        return f"cannot be fetched: the hub cannot be reached ({type(error).__name__}); try again"
    said = error.strerror if isinstance(error, OSError) else None
    return (
        f"cannot be written to {hub.cache}: {said or type(error).__name__}; make room there, or set"
        " HF_HUB_CACHE to another folder"
    )


def _refusal(status: int) -> str:
    if status == 401:  # also of names that do not exist, for those without a token
        return "is not on the hub, or HF_TOKEN is not valid"
    if status == 403:
        return "may not be read with this HF_TOKEN"
    if status == 404:
        return "is no longer on the hub; name another"
    return f"cannot be fetched: the hub answered with status {status}; try again later"
