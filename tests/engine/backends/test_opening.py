"""Which backend opens what."""

import json

import pytest

from steer_engine import ModelError, open_engine
from steer_engine.backends import opening
from steer_engine.backends.opening import open_backend
from steer_engine.models import embedded_path, find_model


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").touch()
    return tmp_path


@pytest.fixture
def install(monkeypatch):
    def only(*libraries, system="linux"):
        monkeypatch.setattr(opening, "find_spec", lambda name: name in libraries or None)
        monkeypatch.setattr(opening.sys, "platform", system)

    return only


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (None, (None, None)),
        ("embedded", (None, "embedded")),
        ("mlx:embedded", ("mlx", "embedded")),
        ("transformers:~/models/a", ("transformers", "~/models/a")),
        ("llamacpp:a.gguf", ("llamacpp", "a.gguf")),
        ("C:/a.gguf", (None, "C:/a.gguf")),
        ("mlx", (None, "mlx")),
    ],
)
def test_a_backend_may_be_named_before_the_model(model, expected):
    assert opening.backend_named(model) == expected


def test_a_folder_with_a_configuration_is_a_model(folder):
    assert find_model(folder) == folder


def test_the_backend_that_is_installed_opens_a_folder(folder, install):
    def suiting():
        return opening._suiting(folder)

    install("mlx_lm", "torch", "transformers")
    assert suiting() == "transformers"
    install("mlx_lm", "torch", "transformers", system="darwin")
    assert suiting() == "mlx"
    install("mlx_lm", "transformers")
    assert suiting() == "mlx"
    install("torch", "transformers", system="darwin")
    assert suiting() == "transformers"
    install("torch", "transformers")
    (folder / "config.json").write_text(json.dumps({"quantization": {"bits": 4}}))
    assert suiting() == "mlx"


@pytest.mark.parametrize(
    ("backend", "system", "missing"),
    [
        (None, "linux", ("torch", "transformers")),
        (None, "darwin", ("mlx_lm", "mlx")),
        ("mlx", "linux", ("mlx_lm", "mlx")),
        ("transformers", "darwin", ("torch", "transformers")),
    ],
)
def test_what_is_not_installed_is_named(folder, install, backend, system, missing):
    install(system=system)
    expected = r'{} is not installed; run: pip install "steermagic\[{}\]"'.format(*missing)
    with pytest.raises(ModelError, match=expected):
        open_backend(folder, backend)


def test_the_embedded_model_needs_its_reader(install):
    install("mlx_lm")
    with pytest.raises(ModelError, match="gguf is not installed"):
        open_engine("mlx:embedded")


def test_a_backend_refuses_the_files_of_another(folder, tmp_path):
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(embedded_path().read_bytes())
    with pytest.raises(
        ModelError, match=r"is a GGUF file, which llama\.cpp reads; leave out `mlx:`"
    ):
        open_backend(copy, "mlx")
    with pytest.raises(ModelError, match=r"is a folder .*, and llama\.cpp reads \.gguf files"):
        open_backend(folder, "llamacpp")


def test_a_gguf_file_is_opened_by_llama_cpp_with_or_without_its_name():
    for model in ("embedded", "llamacpp:embedded"):
        with open_engine(model) as engine:
            assert engine.info.embedded
