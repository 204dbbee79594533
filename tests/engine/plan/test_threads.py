import os

import pytest

from model_stores import write
from steer_engine.plan import default_threads

FOLDER = "sys/fs/cgroup"


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def test_a_core_is_left_free(tmp_path):
    assert default_threads(tmp_path) == 7


@pytest.mark.parametrize(
    ("files", "n_threads"),
    [
        ({"cpu.max": "200000 100000"}, 2),
        ({"cpu.max": "350000 100000"}, 3),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "max 100000"}, 7),
        ({"cpu.max": "3200000 100000"}, 7),
        ({"a/b/cpu.max": "max 100000", "a/cpu.max": "400000 100000"}, 4),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 7),
        ({"cpu/cpu.cfs_quota_us": "200000"}, 7),
        ({"cpu.max": "200000 0"}, 7),
    ],
)
def test_a_container_has_the_threads_that_its_quota_feeds(tmp_path, files, n_threads):
    write(tmp_path / "proc" / "self" / "cgroup", "0::/a/b\n")
    for name, text in files.items():
        write(tmp_path / FOLDER / name, text + "\n")
    assert default_threads(tmp_path) == n_threads
