"""Importing and loading the extension is cheap; what is heavy comes with first use."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import steermagic
from steer_engine import SteerError

HEAVY = (
    "anywidget", "ipywidgets", "jinja2", "jsonschema", "llama_cpp", "llguidance", "mlx", "pandas",
    "polars", "pyarrow", "pydantic", "torch", "transformers",
)  # fmt: skip
LOAD = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell()
import time
start = time.perf_counter()
shell.extension_manager.load_extension("steermagic")
seconds = time.perf_counter() - start
assert shell.find_cell_magic("steer") and shell.find_line_magic("steer")
assert seconds < 0.3 * {patience}, seconds
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
    # A loaded machine is slower than a user's; ten times as slow is a fault.
    assert not loaded_by(LOAD.format(patience=10)) & set(HEAVY)


def test_import_takes_no_time():
    code = "import time; t = time.perf_counter(); import steermagic; print(time.perf_counter() - t)"
    assert float(python(code)) < 0.1


def test_what_is_public():
    assert steermagic.__all__ == ["__version__", "load_ipython_extension", "steer"]
    with pytest.raises(SteerError):
        steermagic.steer("hello")
