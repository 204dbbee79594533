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


@pytest.mark.parametrize(
    ("configured", "environment", "project", "message"),
    [
        ({}, {"STEERMAGIC_SEDE": "1"}, "", "unknown setting 'sede' in the environment (STEERMAGIC_SEDE); did you mean 'seed'?"),
        ({}, {"STEERMAGIC_SEED": "x"}, "", "seed in the environment (STEERMAGIC_SEED) must be a whole number, not 'x'"),
        ({}, {}, "tool.steermagic.modle = 'x'", "unknown setting 'modle' in [tool.steermagic] of pyproject.toml; did you mean 'model'?"),
        ({"view": "live"}, {}, "", "view in %config SteerMagic must be auto, static or off, not 'live'"),
    ],
)  # fmt: skip
def test_a_wrong_setting_says_where_it_stands(configured, environment, project, message, tmp_path):
    (tmp_path / "pyproject.toml").write_text(project)
    with pytest.raises(OptionError) as caught:
        read_settings(configured, environment, tmp_path)
    assert str(caught.value) == message


def test_a_broken_project_file_is_named(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool")
    with pytest.raises(OptionError, match=r"pyproject\.toml cannot be read"):
        read_settings({}, {}, tmp_path)
