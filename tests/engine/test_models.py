import pytest

from steer_engine import ModelError, open_engine
from steer_engine.models import embedded_path, find_model


def test_the_embedded_model_is_the_default():
    assert find_model(None) == find_model("embedded") == embedded_path()
    assert embedded_path().is_file()


def test_a_path_is_taken_as_it_is(tmp_path):
    file = tmp_path / "tiny model.gguf"
    file.write_bytes(embedded_path().read_bytes())
    assert find_model(str(file)) == file
    with open_engine(file) as engine:
        assert engine.info.name == "steermagic-tiny"
        assert not engine.info.embedded


def test_a_missing_file_names_the_closest_one(tmp_path):
    (tmp_path / "qwen-0.5b.gguf").touch()
    with pytest.raises(
        ModelError, match=r"no model file .*qwen-0\.5.gguf; did you mean qwen-0\.5b"
    ):
        find_model(tmp_path / "qwen-0.5.gguf")
    with pytest.raises(ModelError, match=r"has 1 \.gguf files"):
        find_model(tmp_path / "zzz")


def test_a_missing_folder_is_named():
    with pytest.raises(ModelError, match="the folder /no/such does not exist"):
        find_model("/no/such/model.gguf")


def test_a_folder_is_its_model_or_lists_them(tmp_path):
    with pytest.raises(ModelError, match="is a folder without a model"):
        find_model(tmp_path)
    (tmp_path / "a.gguf").touch()
    assert find_model(tmp_path) == tmp_path / "a.gguf"
    (tmp_path / "b.gguf").touch()
    with pytest.raises(ModelError, match=r"a\.gguf.*b\.gguf"):
        find_model(tmp_path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"\x10\x00\x00\x00")
    with pytest.raises(ModelError, match="is not a GGUF file"):
        find_model(tmp_path / "model.safetensors")


@pytest.mark.parametrize("share", [0.0001, 0.02, 0.5, 0.98])
def test_a_truncated_model_is_an_error_not_a_crash(tmp_path, share):
    whole = embedded_path().read_bytes()
    file = tmp_path / "cut.gguf"
    file.write_bytes(whole[: max(4, int(len(whole) * share))])
    with pytest.raises(ModelError, match=r"cut\.gguf (ends in its header|is not whole)"):
        open_engine(file)
