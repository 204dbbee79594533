"""Control groups: where Linux says what a container may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def group_folders(root: Path, controller: str) -> Iterator[tuple[Path, Path]]:
    """Yield where limits may stand, of version 2 and 1: of this process's group and all above."""
    groups = root / "sys" / "fs" / "cgroup"
    own = PurePosixPath(_own_group(root / "proc" / "self" / "cgroup", controller))
    for group in (own, *own.parents):
        yield groups / group, groups / controller / group


def words(file: Path) -> list[str]:
    """Return what stands in a file of a group; nothing where there is no such file."""
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:
        return []


def _own_group(file: Path, controller: str) -> str:
    """Return the path of this process's group; version 2 has an empty controller."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""  # not Linux
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "" or controller in controllers.split(","):
            return path.lstrip("/")
    return ""
