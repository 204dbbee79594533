"""Where the tests find what they need."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine, nothing about the code. The same
# examples every time, so that a red run is about the change; `--hypothesis-profile=search` draws
# new ones.
CALM = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("steermagic", **CALM, derandomize=True)
settings.register_profile("search", **CALM)
settings.load_profile("steermagic")

ROOT = Path(__file__).parent.parent

# Kernels and other processes that tests start inherit it: nothing touches the user's own runs.
os.environ["STEERMAGIC_STORE"] = "off"


@pytest.fixture(scope="session")
def shared():
    """The folder of third-party data, which is not part of the repository."""
    folder = Path(os.environ.get("STEER_TEST_DATA", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("third-party data is not here; set STEER_TEST_DATA to its folder")
    return folder / "data"
