"""Settings: `%config`, then the environment, then pyproject.toml."""

from __future__ import annotations

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
