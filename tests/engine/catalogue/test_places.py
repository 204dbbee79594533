import sys
from pathlib import Path

import pytest

from steer_engine.catalogue import find_places


def test_the_usual_places(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    places = find_places({}, tmp_path)
    assert places.hub == tmp_path / ".cache" / "huggingface" / "hub"
    assert places.ollama[0] == tmp_path / ".ollama" / "models"
    assert Path("/usr/share/ollama/.ollama/models") in places.ollama
    assert places.lmstudio[0] == tmp_path / ".lmstudio" / "models"
    assert places.llamacpp == tmp_path / ".cache" / "llama.cpp"


@pytest.mark.parametrize(
    ("environment", "hub"),
    [
        ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"),
        ({"HF_HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/h/hub"),
        ({"HUGGINGFACE_HUB_CACHE": "/c", "HF_HOME": "/h"}, "/c"),
        ({"HF_HUB_CACHE": "/d", "HUGGINGFACE_HUB_CACHE": "/c"}, "/d"),
        ({"HF_HUB_CACHE": "~/models"}, "/home/me/models"),
        ({"HF_HUB_CACHE": "/disk/a~b"}, "/disk/a~b"),
        ({"HF_HOME": "$HOME/hf", "HOME": "/home/me"}, "/home/me/hf/hub"),
        ({"HF_HUB_CACHE": "~/${DISK}/$NONE", "DISK": "d"}, "/home/me/d/$NONE"),
    ],
)
def test_the_environment_names_the_cache_as_the_library_has_it(environment, hub):
    assert find_places(environment, Path("/home/me")).hub == Path(hub)


def test_the_environment_names_other_stores(monkeypatch):
    places = find_places({"OLLAMA_MODELS": "/o", "LLAMA_CACHE": "~"}, Path("/home/me"))
    assert places.ollama == (Path("/o"),)
    assert places.llamacpp == Path("/home/me")
    monkeypatch.setattr(sys, "platform", "darwin")
    home = Path("/Users/me")
    assert find_places({}, home).llamacpp == home / "Library" / "Caches" / "llama.cpp"
    monkeypatch.setattr(sys, "platform", "win32")
    assert find_places({}, home).llamacpp == home / "AppData" / "Local" / "llama.cpp"
    assert find_places({"LOCALAPPDATA": "/l"}, home).llamacpp == Path("/l/llama.cpp")
