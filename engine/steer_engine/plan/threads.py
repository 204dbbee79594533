"""How many threads a model should compute with: as many as there are cores for, less one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from steer_engine.plan.groups import group_folders, words


def default_threads(root: Path = Path("/")) -> int:
    """Return a thread count that leaves a core free and stays in what a container may use.

    ggml's threads wait for each other by spinning: one busy core makes all of them slow, and a
    quota that is used up stops them all.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min([(usable or 2) - 1, *_quotas(root)]))


def _quotas(root: Path) -> Iterator[int]:
    """Yield how many whole cores this process's control groups allow."""
    for folder, older in group_folders(root, "cpu"):
        older_files = (older / "cpu.cfs_quota_us", older / "cpu.cfs_period_us")
        for said in (words(folder / "cpu.max"), [word for f in older_files for word in words(f)]):
            if len(said) == 2 and all(word.isdecimal() and word != "0" for word in said):
                yield int(said[0]) // int(said[1])
