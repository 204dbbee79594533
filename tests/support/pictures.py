"""Pictures of pages, small enough to be committed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

IMAGES = Path(__file__).parents[2] / "notebooks" / "images"
_MAX_BYTES = 80_000


def keep(png: bytes, name: str) -> None:
    """Write a screenshot to the images of the README, with a palette of its own colours."""
    from PIL import Image

    path = IMAGES / f"{name}.png"
    whole = Image.open(BytesIO(png)).convert("RGB")
    image = whole.quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    assert path.stat().st_size < _MAX_BYTES, f"{path} is too large to be committed"
