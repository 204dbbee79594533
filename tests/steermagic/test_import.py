"""Importing and loading the extension is cheap; what is heavy comes with first use."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import steermagic
from steer_engine import SteerError

HEAVY = (
    "anywidget", "httpx", "huggingface_hub", "ipywidgets", "jinja2", "jsonschema", "llama_cpp",
    "llguidance", "mlx", "pandas", "polars", "psutil", "pyarrow", "pydantic", "torch",
    "transformers",
)  # fmt: skip
LOAD = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell()
shell.extension_manager.load_extension("steermagic")
assert shell.find_cell_magic("steer") and shell.find_line_magic("steer")
"""


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return done.stdout


def loaded_by(code: str) -> set[str]:
    return set(python(f"{code}\nimport sys; print(*sys.modules, sep='\\n')").split())


def test_import_loads_nothing_heavy():
    loaded = loaded_by("import steermagic")
    assert not loaded & {*HEAVY, "numpy", "IPython", "steer_engine"}


def test_loading_the_extension_loads_nothing_heavy():
    assert not loaded_by(LOAD) & set(HEAVY)


def test_what_is_public():
    assert steermagic.__all__ == [
        "SchemaEditor",
        "__version__",
        "load_ipython_extension",
        "playground",
        "steer",
    ]
    assert all(callable(getattr(steermagic, name)) for name in steermagic.__all__ if name[0] != "_")
    with pytest.raises(AttributeError, match="has no attribute 'stear'"):
        _ = steermagic.stear
    with pytest.raises(SteerError):
        steermagic.steer("hello")
