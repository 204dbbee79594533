"""What the files of a model on the hub say, from the first bytes of each alone."""

from __future__ import annotations

import io
from collections.abc import Sequence

from steer_engine.catalogue.facts import ModelFacts
from steer_engine.catalogue.folders import CONFIG, folder_facts
from steer_engine.catalogue.gguf import read_gguf
from steer_engine.catalogue.gguf_facts import gguf_facts
from steer_engine.catalogue.hub import Download, Hub, RemoteFile, told
from steer_engine.catalogue.safetensors import parse_settings, read_safetensors

_FIRST, _MOST = 2**18, 2**23  # bytes of one request: each is twice the one before


def read_remote_facts(hub: Hub, download: Download) -> ModelFacts:
    """Return what the headers of the files of `download` say; a few megabytes are fetched for it.

    Raises:
        ModelError: the hub cannot be asked, or a header is damaged.
    """
    parts = download.parts(hub)
    read = _gguf_facts if download.is_gguf else _folder_facts
    return told(hub, download.model, lambda: read(download, parts))


def _gguf_facts(download: Download, parts: Sequence[RemoteFile]) -> ModelFacts:
    headers = [read_gguf(_open(part), part.file.name, n_bytes=part.file.n_bytes) for part in parts]
    return gguf_facts(headers, str(download.model), size_bytes=download.n_bytes)


def _folder_facts(download: Download, parts: Sequence[RemoteFile]) -> ModelFacts:
    tensors = [
        tensor
        for part in parts
        if part.file.name.endswith(".safetensors")
        for tensor in read_safetensors(_open(part), part.file.name, n_bytes=part.file.n_bytes)
    ]
    config = next(part for part in parts if part.file.name == CONFIG)
    return folder_facts(parse_settings(_open(config).read(), CONFIG), tensors, str(download.model))


def _open(part: RemoteFile) -> io.BufferedReader:
    return io.BufferedReader(_Reader(part), buffer_size=_FIRST)


class _Reader(io.RawIOBase):
    """Fetches what is read, in steps."""

    def __init__(self, part: RemoteFile) -> None:
        self._part, self._n_bytes = part, part.file.n_bytes
        self._position = self._begin = 0
        self._fetched = b""
        self._step = _FIRST

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._n_bytes}
        self._position = base[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # any buffer
        n_wanted = min(len(buffer), self._n_bytes - self._position)
        if n_wanted <= 0:
            return 0
        at = self._position - self._begin
        if not 0 <= at < len(self._fetched):
            self._fetch(n_wanted)
            at = 0
        found = self._fetched[at : at + n_wanted]
        buffer[: len(found)] = found
        self._position += len(found)
        return len(found)

    def _fetch(self, n_wanted: int) -> None:
        first = self._position
        last = min(first + max(n_wanted, self._step), self._n_bytes) - 1
        self._step = min(2 * self._step, _MOST)
        self._fetched, self._begin = self._part.read(first=first, last=last), first
