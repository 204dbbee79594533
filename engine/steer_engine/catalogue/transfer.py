"""Downloads into the hub's own cache: with progress, gone on with after a break, and checked.

The library's own download begins anew after a break. So the large files are fetched here, to where
the library looks for them; it then does the rest of the bookkeeping.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeAlias, cast

from steer_engine.catalogue.hub import Download, Hub, RemoteFile, check_installed, told
from steer_engine.catalogue.sources import FolderModel, GgufModel, LocalModel
from steer_engine.errors import ModelError

_ATTEMPTS = 5  # without a single new byte
_PAUSE_S = 1.0
_WAIT_S = 0.5  # between two looks at what another process fetches
_SPARE = 2**26  # bytes of the disk that are left free


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is. The first one, before any byte, is the notice that it begins."""

    download: Download
    n_done: int = 0

    @property
    def n_bytes(self) -> int:
        """How much it is in all."""
        return self.download.n_bytes


Watch: TypeAlias = Callable[[Progress], None]


def fetch(hub: Hub, download: Download, watch: Watch, *, pause_s: float = _PAUSE_S) -> LocalModel:
    """Download what is missing of a model into the cache, and return it as it is there.

    Raises:
        ModelError: it cannot be fetched or kept, or what came is not what the hub announced.
            What has come stays, and the next try goes on there.
    """
    check_installed()
    told(hub, download.model, lambda: _check_room(hub, download))
    watch(Progress(download))
    paths = told(hub, download.model, lambda: [*_fetch_all(hub, download, watch, pause_s)])
    snapshot = paths[0].parents[download.files[0].name.count("/")]
    if snapshot.name != download.commit:
        raise ModelError(f"{download.model} has changed on the hub meanwhile; try again")
    return GgufModel(tuple(paths)) if download.is_gguf else FolderModel(snapshot)


def _fetch_all(hub: Hub, download: Download, watch: Watch, pause_s: float) -> Iterator[Path]:
    from huggingface_hub import hf_hub_download

    before = Progress(download)
    for part in download.parts(hub):
        blob = _Blob(part, download.folder / "blobs")
        if blob.is_large:
            blob.fetch(_counting(before, watch), pause_s=pause_s)
        path = hf_hub_download(
            part.repo,
            part.file.name,
            revision="main",
            cache_dir=hub.cache,
            endpoint=hub.endpoint,
            tqdm_class=cast("Any", _NoBar),
        )
        before = replace(before, n_done=before.n_done + part.file.n_bytes)
        watch(before)
        yield Path(path)


def _counting(before: Progress, watch: Watch) -> Callable[[int], None]:
    return lambda n_bytes: watch(replace(before, n_done=before.n_done + n_bytes))


class _NoBar:
    """Stands where the library draws a bar for each of the small files."""

    def __init__(self, **options: object) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...

    def update(self, n_bytes: int) -> None: ...


def _check_room(hub: Hub, download: Download) -> None:
    folder = next(each for each in (download.folder, *download.folder.parents) if each.is_dir())
    n_free = shutil.disk_usage(folder).free
    n_there = sum(_Blob(part, download.folder / "blobs").n_there for part in download.parts(hub))
    n_missing = download.n_bytes - n_there
    if n_missing + _SPARE > n_free:
        raise ModelError(
            f"{download.model} takes {n_missing / 1e9:.1f} GB more, and {folder} has"
            f" {n_free / 1e9:.1f} GB free; make room, or set HF_HUB_CACHE to another disk"
        )


@dataclass(frozen=True, slots=True)
class _Blob:
    """The content of a file, in the folder where the library looks for it by its hash."""

    part: RemoteFile
    folder: Path

    @property
    def is_large(self) -> bool:
        """Whether the hub tells its hash; smaller ones are left to the library."""
        return self.part.file.sha256 is not None

    @property
    def n_there(self) -> int:
        """How many bytes of it have come already."""
        found = (path for path in (self._whole, self._begun) if self.is_large and path.exists())
        return next((path.stat().st_size for path in found), 0)

    def fetch(self, count: Callable[[int], None], *, pause_s: float) -> None:
        """Have it there, whole and checked. `count` is told how many bytes there are."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone(count):
            if self._whole.exists():
                return
            with self._begun.open("ab") as out:
                self._fill(out, count, pause_s)
            if _hash(self._begun) != self.part.file.sha256:
                self._begun.unlink()
                raise ModelError(
                    f"{self.part.file.name} of {self.part.repo} came damaged (its checksum is"
                    " wrong) and is deleted; try again"
                )
            self._begun.replace(self._whole)

    @property
    def _whole(self) -> Path:
        return self.folder / f"{self.part.file.sha256}"

    @property
    def _begun(self) -> Path:
        return self.folder / f"{self.part.file.sha256}.steermagic.incomplete"

    @contextmanager
    def _alone(self, count: Callable[[int], None]) -> Iterator[None]:
        """Keep two processes from writing one file; `count` is told how far the other one is."""
        from filelock import FileLock, Timeout

        locks = self.part.hub.cache / ".locks" / self.folder.parent.name
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{self.part.file.sha256}.steermagic.lock")
        while not lock.is_locked:
            try:
                lock.acquire(timeout=_WAIT_S)
            except Timeout:
                if n_there := self.n_there:
                    count(n_there)
        try:
            yield
        finally:
            lock.release()

    def _fill(self, out: BinaryIO, count: Callable[[int], None], pause_s: float) -> None:
        """Fetch what `out` lacks, and go on where a connection breaks."""
        from httpx2 import HTTPError
        from huggingface_hub.errors import HfHubHTTPError

        n_failed, n_most = 0, out.tell()
        while out.tell() < self.part.file.n_bytes:
            try:
                self._read_on(out, count)
            except HfHubHTTPError:
                raise
            except HTTPError:
                n_failed = 0 if out.tell() > n_most else n_failed + 1
                n_most = max(n_most, out.tell())
                if n_failed == _ATTEMPTS:
                    raise
                time.sleep(pause_s)

    def _read_on(self, out: BinaryIO, count: Callable[[int], None]) -> None:
        from httpx2 import RemoteProtocolError

        with self.part.opened(first=out.tell()) as response:
            if response.status_code != 206:
                out.truncate(0)  # the server sends all of it again
                out.seek(0)
            for chunk in response.iter_bytes():
                out.write(chunk)
                count(out.tell())
        if out.tell() < self.part.file.n_bytes:
            raise RemoteProtocolError("the answer ends early")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
