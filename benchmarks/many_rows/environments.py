"""Environments of the peers that cannot share ours, and the model of random weights.

guidance pins an older llguidance than ours. An environment is made once, in a cache folder, from
the package registry that pip is set up for; llama-cpp-python, which takes minutes to compile, is
the one of the environment that runs this.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
_LLAMA_CPP_NEEDS = ("diskcache>=5.6", "jinja2>=3.1", "numpy>=2.0", "typing_extensions>=4.8")
_PACKAGES = {
    "outlines": ("outlines==1.3.3", *_LLAMA_CPP_NEEDS),
    "guidance": ("guidance==0.3.1", *_LLAMA_CPP_NEEDS),
    "gguf": ("gguf==0.19.0", "numpy>=2.0"),
}


class MissingError(Exception):
    """Something that is needed is not there; says in one line what, and how to get it."""


@dataclass(frozen=True, slots=True)
class Environments:
    """The environments below `folder`; one is only made where `installs` is true."""

    folder: Path
    installs: bool

    def python(self, name: str | None) -> Path:
        """Return the interpreter of an environment; None is the one that runs this.

        Raises:
            MissingError: it is not there, and must not or cannot be made.
        """
        if name is None:
            return Path(sys.executable)
        place = self.folder / f"env-{name}"
        stamp, wanted = place / "installed.txt", "\n".join(_PACKAGES[name])
        if not (stamp.is_file() and stamp.read_text() == wanted):
            if not self.installs:
                raise MissingError(f"{name} is not installed; a run without --quick installs it")
            self._make(place, name)
            stamp.write_text(wanted)
        return _python_in(place)

    def half_billion(self, vocabulary: Path) -> Path:
        """Return the model of random weights, with the tokens of the GGUF file `vocabulary`.

        Raises:
            MissingError: it cannot be made.
        """
        model = self.folder / "half-billion.gguf"
        if not model.is_file():
            if not vocabulary.is_file():
                raise MissingError(f"{vocabulary} is not there; --vocab names another GGUF file")
            python = self.python("gguf")
            print(f"writing {model}", flush=True)
            _run(python, "-m", "many_rows.half_billion", vocabulary, model, what=model.name)
        return model

    def _make(self, place: Path, name: str) -> None:
        print(f"making the environment {place}", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", place, what=f"the environment of {name}")
        _run(_python_in(place), "-m", "pip", "install", "--quiet", *_PACKAGES[name], what=name)
        if set(_LLAMA_CPP_NEEDS) <= set(_PACKAGES[name]):
            _lend_llama_cpp(place)


def worker_variables() -> dict[str, str]:
    """Return the environment variables that a worker starts with."""
    paths = [str(BENCHMARKS), str(BENCHMARKS.parent / "engine")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def _python_in(place: Path) -> Path:
    return place / "bin" / "python"


def _lend_llama_cpp(place: Path) -> None:
    """Let the environment at `place` import the llama_cpp of this one."""
    found = importlib.util.find_spec("llama_cpp")
    if found is None or found.origin is None:
        raise MissingError("llama-cpp-python is not installed here; `make test` installs it")
    packages = next(place.glob("lib/python*/site-packages"))
    ours = Path(found.origin).resolve().parent
    (packages / "llama_cpp").symlink_to(ours, target_is_directory=True)


def _run(*command: str | Path, what: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own commands
        command, env=worker_variables(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = (done.stderr.strip() or "no reason was given").splitlines()[-1]
        raise MissingError(f"{what} could not be made: {reason}")
