"""Settings outside a cell: `%config`, then the environment, then pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from steermagic.errors import OptionError
from steermagic.options import read_setting

_PREFIX = "STEERMAGIC_"
_OF_THE_ENGINE = frozenset({"STEERMAGIC_API_KEY", "STEERMAGIC_OFFLINE"})


def read_settings(
    configured: Mapping[str, object], environment: Mapping[str, str], folder: Path
) -> dict[str, object]:
    """Return the settings by name; those of `configured` win over those of the environment.

    Raises:
        OptionError: a setting is unknown or has a wrong value; the message says where.
    """
    return {
        **_from_project(folder),
        **_from_environment(environment),
        **{
            name: read_setting(name, str(value), where="%config SteerMagic")
            for name, value in configured.items()
        },
    }


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    names = {
        variable: variable.removeprefix(_PREFIX).lower()
        for variable, value in environment.items()
        if variable.startswith(_PREFIX) and value and variable not in _OF_THE_ENGINE
    }
    return {
        name: read_setting(name, environment[variable], where=f"the environment ({variable})")
        for variable, name in names.items()
    }


def _from_project(folder: Path) -> dict[str, object]:
    """Read `[tool.steermagic]` of the first pyproject.toml in `folder` or above it."""
    for place in (folder, *folder.parents):
        file = place / "pyproject.toml"
        if file.is_file():
            break
    else:
        return {}
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"pyproject.toml cannot be read: {error}") from error
    table = project.get("tool", {}).get("steermagic", {})
    # TOML has hyphens where Python has underscores.
    return {
        name.replace("-", "_"): read_setting(
            name.replace("-", "_"), str(value), where="[tool.steermagic] of pyproject.toml"
        )
        for name, value in table.items()
    }
