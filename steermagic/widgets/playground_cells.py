"""The playground's settings as options, and as the cell that does the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from steermagic.errors import OptionError
from steermagic.options import SETTINGS, SteerOptions, read_options

NAMES = ("model", "temperature", "top_p", "min_p", "seed", "max_tokens")
"""The settings that the playground has; each is a text, and empty where it is left to others."""


def read_setting(setting: Mapping[str, str], defaults: Mapping[str, object]) -> SteerOptions:
    """Return the options that a setting asks for, over those that are set elsewhere.

    Raises:
        OptionError: a value is none that its option takes.
    """
    return read_options(_by_flag(setting), defaults)


def written_cell(schema: str, prompt: str, setting: Mapping[str, str]) -> str:
    """Return the cell that asks the same."""
    options = "".join(f" {flag} {_quoted(text)}" for flag, text in _by_flag(setting).items())
    # strip() would take the indentation of the first line alone.
    aligned = dedent(schema).lstrip("\n").rstrip()
    return f"%%steer{options}\n{aligned}\n---\n{prompt.strip()}"


def read_state(text: str) -> tuple[str, str, list[dict[str, str]]]:
    """Return schema, prompt and settings of the text that the page and the kernel share.

    Raises:
        OptionError: it is no such text.
    """
    try:
        state: dict[str, Any] = json.loads(text)
        settings = [{name: str(each.get(name, "")) for name in NAMES} for each in state["settings"]]
        return str(state["schema"]), str(state["prompt"]), settings
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OptionError(f"the playground's settings cannot be read: {error}") from error


def _by_flag(setting: Mapping[str, str]) -> dict[str, str]:
    given = {name: setting[name].strip() for name in NAMES if setting[name].strip()}
    return {SETTINGS[name].flags[0]: text for name, text in given.items()}


def _quoted(text: str) -> str:
    is_bare = not any(character.isspace() for character in text) and text[0] not in "\"'-–—"
    if is_bare:
        return text
    quote = "'" if '"' in text else '"'
    return f"{quote}{text}{quote}"
