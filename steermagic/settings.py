"""Settings outside a cell: `%config`, then the environment, then pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steermagic.errors import OptionError
from steermagic.options import read_setting
from steermagic.paths import is_off, user_path

_PREFIX = "STEERMAGIC_"
_OF_THE_ENGINE = frozenset({"STEERMAGIC_API_KEY", "STEERMAGIC_OFFLINE"})
_TABLE = "[tool.steermagic] of pyproject.toml"
# As in mlx:./models/dogs or models/dogs.gguf; dogs.gguf is a name, and C:/dogs.gguf is absolute.
_RELATIVE_MODEL = re.compile(r"(\w+:)?(\.\.?[/\\].*|[^:~/\\][^:]*[/\\][^:]*\.gguf)", re.IGNORECASE)


def read_settings(
    configured: Mapping[str, object], environment: Mapping[str, str], folder: Path | None = None
) -> dict[str, object]:
    """Return the settings by name; those of `configured` win over those of the environment.

    The project is that of `folder`, by default of the working directory. Paths in its file are
    relative to that file; a model is a path if it begins with a dot, or names a folder and a GGUF
    file in it.

    Raises:
        OptionError: a setting is unknown or has a wrong value; the message says where.
    """
    return {
        **_from_project(_working_folder() if folder is None else folder),
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


def _working_folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was deleted
        return None


def _from_project(folder: Path | None) -> dict[str, object]:
    """Read `[tool.steermagic]` of the first pyproject.toml in `folder` or above it."""
    places = () if folder is None else (folder, *folder.parents)
    files = (place / "pyproject.toml" for place in places)
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return {}
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"pyproject.toml cannot be read: {error}") from error
    # TOML has hyphens where Python has underscores.
    written = {name.replace("-", "_"): str(value) for name, value in _table(project).items()}
    return {
        name: read_setting(name, _anchored(name, value, file.parent), where=_TABLE)
        for name, value in written.items()
    }


def _table(project: dict[str, Any]) -> dict[str, object]:
    tool = project.get("tool", {})
    table = tool.get("steermagic", {}) if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        raise OptionError(f"{_TABLE} must be a table; write seed = 1 and the like under it")
    return table


def _anchored(name: str, value: str, folder: Path) -> str:
    """Return a setting's value; where it is a relative path, with the `folder` it starts from."""
    if name == "store" and not is_off(value):
        return str(folder / user_path(value, OptionError))
    if name == "model" and (path := _RELATIVE_MODEL.fullmatch(value)):
        return f"{path[1] or ''}{folder / path[2]}"
    return value
