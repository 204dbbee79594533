from types import SimpleNamespace

import psutil
import pytest

from model_stores import write
from steer_engine.plan import free_memory


@pytest.fixture
def available(monkeypatch):
    """There are 1000 bytes available to the machine."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))


def limited(root, *, group="", version=2, limit="400", used="300", stat=None, own=None):
    """Write what the kernel says of a limit."""
    if own is not None:
        write(root / "proc" / "self" / "cgroup", own)
    folder = root / "sys" / "fs" / "cgroup" / ("memory" if version == 1 else "") / group
    names = ("memory.max", "memory.current")
    if version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    for name, value in zip(names, (limit, used), strict=True):
        write(folder / name, value + "\n")
    if stat is not None:
        write(folder / "memory.stat", stat)


def test_a_machine_without_limits_has_what_is_available(available, tmp_path):
    assert free_memory(tmp_path) == 1000


def test_this_machine_has_some_memory():
    assert 0 < free_memory() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("limit", "free"),
    [
        ({}, 100),
        ({"used": "500"}, 0),
        ({"limit": "max"}, 1000),
        ({"limit": "5000"}, 1000),
        ({"stat": "anon 5\ninactive_file 50\nempty\n"}, 150),
        ({"stat": "inactive_file broken\n"}, 100),
        ({"group": "a/b", "own": "0::/a/b\n"}, 100),
        ({"own": "1:cpu:/x\n0::/elsewhere\n"}, 100),
        ({"version": 1}, 100),
        ({"version": 1, "limit": str(2**63 - 4096)}, 1000),
        ({"version": 1, "stat": "inactive_file 5\ntotal_inactive_file 60\n"}, 160),
        ({"version": 1, "group": "docker/1", "own": "4:memory,cpu:/docker/1\n"}, 100),
        ({"own": "7:cpu:/x\n"}, 100),
    ],
)
def test_a_container_has_what_its_limit_leaves(available, tmp_path, limit, free):
    limited(tmp_path, **limit)
    assert free_memory(tmp_path) == free


@pytest.mark.parametrize("version", [2, 1])
@pytest.mark.parametrize(("own", "free"), [("max", 100), ("9000", 100), ("340", 40)])
def test_the_limits_of_the_groups_above_hold_as_well(available, tmp_path, version, own, free):
    limited(tmp_path, version=version, group="a/b", limit=own, own="0::/a/b/c\n")
    limited(tmp_path, version=version, group="a")
    assert free_memory(tmp_path) == free
