"""Which of several files is meant: by quantization, by name, or the usual one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from steer_engine.errors import ModelError

USUAL = "Q4_K_M"
"""The quantization that is taken when none is asked for: small, and hardly worse than the whole."""

_QUANTIZATION = re.compile(
    r"(?:^|[-._/])((?:UD-)?(?:I?Q\d(?:_[A-Z0-9]+)*|T?Q\d_\d|MXFP4|NVFP4|BF16|FP?16|FP?32))(?=[-._/]|$)",
    re.IGNORECASE,
)
_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)
_OTHERS = ("mmproj", "imatrix")  # GGUF files that are no language models
_MAX_LISTED = 12


@dataclass(frozen=True, slots=True)
class FileGroup:
    """The files of one model: one, or those of the `n_parts` that it is split into.

    `label` is its quantization.
    """

    label: str
    files: tuple[str, ...]
    n_parts: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether all of its files are there."""
        return len(self.files) == self.n_parts

    def is_called(self, wanted: str) -> bool:
        """Tell whether `wanted` is its quantization or one of its files."""
        names = (self.label, *self.files, *(PurePosixPath(file).name for file in self.files))
        return wanted.casefold() in (name.casefold() for name in names if name)


def group_files(files: Iterable[str]) -> list[FileGroup]:
    """Return the models among the GGUF `files`; a split one is one group."""
    groups = dict[tuple[str, int], list[str]]()
    for file in sorted(files):
        name = PurePosixPath(file).name.casefold()
        if not name.endswith(".gguf") or any(word in name for word in _OTHERS):
            continue
        part = _PART.fullmatch(file)
        groups.setdefault((part[1], int(part[3])) if part else (file, 1), []).append(file)
    return [
        FileGroup(quantization_of(stem), tuple(found), n_parts)
        for (stem, n_parts), found in groups.items()
    ]


def check_whole(group: FileGroup) -> FileGroup:
    """Return `group` if all of its files are there.

    Raises:
        ModelError: one of them is missing.
    """
    if not group.is_whole:
        raise ModelError(
            f"{PurePosixPath(group.files[0]).name} is one of {group.n_parts} files, and"
            f" {len(group.files)} of them are there; fetch the others, too"
        )
    return group


def quantization_of(file: str) -> str:
    """Return the quantization that the name of a file tells, or nothing."""
    found = _QUANTIZATION.findall(file.removesuffix(".gguf"))
    return str(found[-1]).upper() if found else ""


def choose(groups: Sequence[FileGroup], wanted: str | None, *, where: str) -> FileGroup:
    """Return the model that is meant: `wanted`, else the usual quantization, else the only one.

    Raises:
        ModelError: there is none, or it is not whole, or there are several; the message lists them.
    """
    if not groups:
        raise ModelError(f"{where} has no .gguf file of a language model")
    named = [group for group in groups if wanted is None or group.is_called(wanted)]
    usual = [group for group in named if group.label == USUAL] if wanted is None else []
    if len(usual) == 1:
        return check_whole(usual[0])
    if len(named) == 1:
        return check_whole(named[0])
    listed = _listed(named or groups)
    if wanted is not None and not named:
        raise ModelError(f"{where} has no {wanted}; it has {listed}")
    raise ModelError(f"{where} has {listed}; say which, with : and its name at the end")


def _listed(groups: Sequence[FileGroup]) -> str:
    labels = [group.label or group.files[0] for group in groups]
    names = [
        label if labels.count(label) == 1 else PurePosixPath(group.files[0]).name
        for label, group in zip(labels, groups, strict=True)
    ]
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(names[:_MAX_LISTED]) + more
