"""From what a user calls a model to a file on this machine."""

from __future__ import annotations

import difflib
from pathlib import Path

from steer_engine.errors import ModelError

EMBEDDED = "embedded"
"""Name of the model that comes with the package."""

_MAGIC = b"GGUF"


def embedded_path() -> Path:
    """Return the path of the embedded model."""
    return Path(__file__).parent / "embedded" / "steermagic-tiny.gguf"


def embedded_card() -> str:
    """Return the model card of the embedded model, in Markdown: what it can do and what not."""
    return (embedded_path().parent / "MODEL_CARD.md").read_text(encoding="utf-8")


def find_model(model: str | Path | None) -> Path:
    """Return the GGUF file that `model` names; None and "embedded" are the embedded one.

    Raises:
        ModelError: there is no such file, or it is not GGUF.
    """
    if model is None or model == EMBEDDED:
        return embedded_path()
    try:
        path = Path(model).expanduser()
    except RuntimeError as error:
        raise ModelError(f"{model} cannot be a path: {error}") from error
    if path.is_dir():
        raise ModelError(f"{path} is a folder; name a .gguf file in it{_choices(path)}")
    if not path.is_file():
        raise ModelError(f"there is no model file {path}{_close_to(path)}")
    _check_magic(path)
    return path.resolve()


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    if magic != _MAGIC:
        raise ModelError(
            f"{path} is not a GGUF file; llama.cpp models end in .gguf"
            " (a .safetensors folder has to be converted first)"
        )


def _choices(folder: Path) -> str:
    names = sorted(file.name for file in folder.glob("*.gguf"))[:5]
    return f": {', '.join(names)}" if names else ", but it has none"


def _close_to(path: Path) -> str:
    if not path.parent.is_dir():
        return f"; the folder {path.parent} does not exist"
    names = [file.name for file in path.parent.glob("*.gguf")]
    close = difflib.get_close_matches(path.name, names, n=1)
    return (
        f"; did you mean {close[0]}?" if close else f"; {path.parent} has {len(names)} .gguf files"
    )
