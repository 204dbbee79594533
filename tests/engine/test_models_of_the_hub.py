"""Names, downloads and plans together, against a hub on this machine."""

import logging

import pytest

from hub_stand_in import HubStandIn
from model_stores import folder_files, small, write
from steer_engine import ModelError, bring_here, list_models, model_names, plan_model
from steer_engine.models import embedded_card, embedded_path, find_model


@pytest.fixture
def hub(tmp_path, monkeypatch):
    pytest.importorskip("huggingface_hub")
    both = {"m-Q4_K_M.gguf": small("m")} | folder_files()
    hub = HubStandIn({"o/r": both, "o/s": both})
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("HF_HUB_CACHE", "OLLAMA_MODELS", "LLAMA_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    yield hub
    hub.close()


def test_a_model_is_downloaded_once_and_said_so(hub, caplog):
    with caplog.at_level(logging.WARNING):
        path = find_model("o/r")
    assert path.read_bytes() == small("m")
    (record,) = caplog.records
    assert record.getMessage().startswith("downloading o/r, 0 MB, to ")
    assert find_model("o/r:Q4_K_M", offline=True) == path


def test_a_backend_that_reads_folders_gets_one(hub):
    assert find_model("o/r", backend="transformers").is_dir()
    assert find_model("o/s", backend="llamacpp").name == "m-Q4_K_M.gguf"
    folder = find_model("o/s", backend="mlx")
    assert folder.is_dir()
    assert find_model(folder, backend="mlx") == find_model(str(folder), backend="mlx") == folder


def test_an_alias_is_brought_here_with_its_backend(hub):
    aliases = {"mine": "transformers:o/r", "there": "http://localhost:1"}
    prefix, _, path = bring_here("mine", aliases=aliases).partition(":")
    assert prefix == "transformers"
    assert path.startswith("/")
    assert bring_here("there", aliases=aliases) == "http://localhost:1"
    assert bring_here("embedded") == str(embedded_path())


def test_a_plan_is_made_of_what_is_here_and_there(hub, tmp_path):
    there = plan_model("o/r", room=None)
    assert there.facts.n_params == plan_model("mine", aliases={"mine": "o/r"}).facts.n_params
    assert not (tmp_path / "HF_HUB_CACHE").exists()
    assert plan_model("transformers:o/r").facts.architecture == "llama"
    file = write(tmp_path / "m.gguf", small("m"))
    assert plan_model(file).ram == there.ram
    assert plan_model(None).facts.name == "steermagic-tiny"
    with pytest.raises(ModelError, match="takes no memory here"):
        plan_model("http://localhost:1")
    with pytest.raises(ModelError, match="o/r is not on this machine"):
        plan_model("o/r", offline=True)


def test_what_is_damaged_is_listed_with_what_is_wrong(hub, tmp_path):
    write(tmp_path / "LLAMA_CACHE" / "bad.gguf", b"GGUF" + bytes(50))
    embedded, bad = list_models()
    assert (embedded.name, embedded.facts.name) == ("embedded", "steermagic-tiny")
    assert (bad.name, bad.store) == ("bad.gguf", "llama.cpp cache")
    assert isinstance(bad.facts, ModelError)
    assert model_names() == [("embedded",), ("bad.gguf", "bad")]


def test_a_name_that_is_not_there_is_told_with_one_that_is(hub, tmp_path):
    write(tmp_path / "LLAMA_CACHE" / "own.gguf", small("m"))
    with pytest.raises(ModelError, match=r"is not on the hub.*; did you mean 'o/y'\?$"):
        find_model("o/z", aliases={"o/y": "x"})
    with pytest.raises(ModelError, match=r"HF_TOKEN to your token\)$"):
        find_model("some/other-thing")


def test_the_card_of_the_embedded_model_can_be_read():
    assert embedded_card().startswith("# steermagic-tiny")
