"""Settings: `%config`, then the environment, then pyproject.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from steermagic.errors import OptionError
from steermagic.settings import read_settings


def test_the_nearer_setting_wins(tmp_path):
    project = tmp_path / "pyproject.toml"
    project.write_text('[tool.steermagic]\nseed = 1\nmax-tokens = 10\nmodel = "a.gguf"\n')
    (tmp_path / "notebooks").mkdir()
    environment = {"STEERMAGIC_SEED": "2", "STEERMAGIC_MODEL": "b.gguf", "HOME": "/"}
    settings = read_settings({"seed": 3}, environment, tmp_path / "notebooks")
    assert settings == {"seed": 3, "max_tokens": 10, "model": "b.gguf"}


def test_no_settings_are_none(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert read_settings({}, {}, tmp_path) == {}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('store = "runs.sqlite"', "{}/runs.sqlite"),
        ('store = "/elsewhere/runs.sqlite"', "/elsewhere/runs.sqlite"),
        ('store = "OFF"', "OFF"),
        ("store = false", "False"),
        ('model = "./models/x.gguf"', "{}/models/x.gguf"),
        ('model = "mlx:./models/x"', "mlx:{}/models/x"),
        ('model = "models/x.gguf"', "{}/models/x.gguf"),
        ('model = "llamacpp:models/x.GGUF"', "llamacpp:{}/models/x.GGUF"),
        ('model = "/models/x.gguf"', "/models/x.gguf"),
        ('model = "~/models/x.gguf"', "~/models/x.gguf"),
        ('model = "C:/models/x.gguf"', "C:/models/x.gguf"),
        ('model = "x.gguf"', "x.gguf"),
        ('model = "owner/repo"', "owner/repo"),
        ('model = "owner/repo:x.gguf"', "owner/repo:x.gguf"),
        ('model = "https://hf.co/o/r/blob/main/x.gguf"', "https://hf.co/o/r/blob/main/x.gguf"),
    ],
)
def test_paths_of_a_project_start_from_its_folder(line, expected, tmp_path):
    """A project had as many stores as folders."""
    (tmp_path / "pyproject.toml").write_text(f"[tool.steermagic]\n{line}\n")
    (tmp_path / "notebooks").mkdir()
    for folder in (tmp_path, tmp_path / "notebooks"):
        assert [*read_settings({}, {}, folder).values()] == [expected.format(tmp_path)]


def test_a_home_folder_is_no_folder_of_the_project(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.steermagic]\nstore = "~/runs.sqlite"\n')
    assert read_settings({}, {}, tmp_path) == {"store": str(Path.home() / "runs.sqlite")}


def test_paths_outside_a_project_file_stay_as_they_are(tmp_path):
    settings = read_settings({"store": "a.sqlite"}, {"STEERMAGIC_MODEL": "./b.gguf"}, tmp_path)
    assert settings == {"store": "a.sqlite", "model": "./b.gguf"}


def test_a_working_directory_that_was_deleted_has_no_project(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert read_settings({"seed": 3}, {}) == {"seed": 3}


def test_an_empty_variable_is_not_set(tmp_path):
    assert read_settings({}, {"STEERMAGIC_STORE": "", "STEERMAGIC_SEED": ""}, tmp_path) == {}


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("STEERMAGIC_SEDE", "1", "unknown setting 'sede' in {}; did you mean 'seed'?"),
        ("STEERMAGIC_SEED", "x", "seed in {} must be a whole number, not 'x'"),
    ],
)
def test_a_wrong_variable_is_named(variable, value, message, tmp_path):
    with pytest.raises(OptionError) as caught:
        read_settings({}, {variable: value}, tmp_path)
    assert str(caught.value) == message.format(f"the environment ({variable})")


def test_a_wrong_setting_of_the_project_is_named(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.steermagic]\nmodle = 'x'\n")
    with pytest.raises(OptionError) as caught:
        read_settings({}, {}, tmp_path)
    assert str(caught.value) == (
        "unknown setting 'modle' in [tool.steermagic] of pyproject.toml; did you mean 'model'?"
    )


@pytest.mark.parametrize(
    "text", ["tool = 3\n", '[tool]\nsteermagic = "embedded"\n', "[[tool.steermagic]]\nseed = 1\n"]
)
def test_settings_of_the_project_that_are_no_table_are_told(text, tmp_path):
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(
        OptionError, match=r"^\[tool\.steermagic\] of pyproject.toml must be a table"
    ):
        read_settings({}, {}, tmp_path)


def test_a_wrong_setting_of_the_shell_is_named(tmp_path):
    with pytest.raises(OptionError) as caught:
        read_settings({"view": "loud"}, {}, tmp_path)
    assert str(caught.value) == (
        "view in %config SteerMagic must be auto, live, static or off, not 'loud'"
    )


def test_a_broken_project_file_is_named(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool")
    with pytest.raises(OptionError, match=r"pyproject\.toml cannot be read"):
        read_settings({}, {}, tmp_path)
