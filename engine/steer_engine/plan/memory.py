"""How much memory there is: of the machine, of the container, of its GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from steer_engine.plan.groups import group_folders, words

_UNLIMITED = 2**60  # what "no limit" looks like as a number


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU. One that is `unified` shares the machine's memory instead of having its own."""

    name: str
    free_bytes: int
    unified: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a model is to run. Of `repacked_types` the CPU keeps a copy in its own order.

    `remedy` tells how it would be faster here, if there is a way.
    """

    free_bytes: int
    devices: tuple[Device, ...] = ()
    repacked_types: frozenset[str] = frozenset()
    remedy: str = ""


def free_memory(root: Path = Path("/")) -> int:
    """Return how many bytes can still be used, by this container if it is limited."""
    import psutil

    left = _left_in_container(root)
    available: int = psutil.virtual_memory().available
    return available if left is None else min(available, left)


def _left_in_container(root: Path) -> int | None:
    """Return what the limits of control groups leave; None where there are none."""
    left = (_left(*place) for place in _limits(root))
    return min((n_bytes for n_bytes in left if n_bytes is not None), default=None)


def _left(folder: Path, limit: str, used: str) -> int | None:
    n_limit, n_used = _number(folder / limit), _number(folder / used)
    if n_limit is None or n_used is None or n_limit >= _UNLIMITED:
        return None
    return max(0, n_limit - n_used + _reclaimable(folder / "memory.stat"))


def _limits(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield where limits may stand, and the names of the limit and of what is used."""
    for folder, older in group_folders(root, "memory"):
        yield folder, "memory.max", "memory.current"
        yield older, "memory.limit_in_bytes", "memory.usage_in_bytes"


def _reclaimable(file: Path) -> int:
    """Return the bytes of files that the kernel keeps and would give back."""
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    said = dict(line.split(" ", 1) for line in lines if " " in line)
    value = said.get("total_inactive_file", said.get("inactive_file", "0"))
    return int(value) if value.isdecimal() else 0


def _number(file: Path) -> int | None:
    match words(file):
        case [word] if word.isdecimal():
            return int(word)
        case _:
            return None
