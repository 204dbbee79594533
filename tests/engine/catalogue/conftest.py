"""A hub on this machine, and the place where its models go."""

import pytest

from hub_stand_in import HubStandIn
from steer_engine.catalogue import Hub


@pytest.fixture
def serve(monkeypatch):
    """Starts hubs with the files that a test gives."""
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_TOKEN", "hf_secret_of_the_test")
    hubs = []

    def start(**repos):
        hubs.append(HubStandIn({name.replace("__", "/"): files for name, files in repos.items()}))
        return hubs[-1]

    yield start
    for each in hubs:
        each.close()


@pytest.fixture
def client(tmp_path):
    """Returns the hub as the product knows it, with its cache in the test's folder."""
    return lambda stand_in: Hub(tmp_path / "hub", stand_in.url, is_offline=False)
