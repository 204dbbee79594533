"""Writes the embedded model with weights of other types."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from steer_engine.models import embedded_path


def write_four_bits(path: Path) -> None:
    """Write two of its layers with weights that CPUs lay out anew; its answers are worth nothing.

    More layers would only make the differences between two ways to add numbers up larger.
    """
    _write(path, lambda name: "Q4_0" if name.startswith("blk.") else "F16", n_layers=2)


@cache
def float_model() -> Path:
    """Return the path of a copy in 32-bit floats, whose logits hardly depend on their company.

    llama.cpp rounds the inputs of other weights to 8 or 16 bits. A last digit that falls otherwise
    in a call of another shape then moves a logit by a tenth, or by a hundredth.
    """
    path = Path(tempfile.mkdtemp()) / "steermagic-tiny.gguf"
    _write(path, lambda name: "F32")
    return path


def _write(path: Path, type_of: Callable[[str], str], n_layers: int | None = None) -> None:
    gguf = pytest.importorskip("gguf")
    source = gguf.GGUFReader(embedded_path())
    writer = gguf.GGUFWriter(path, "llama")
    stated = source.fields["llama.block_count"].contents()
    n_kept = n_layers or stated
    writer.add_block_count(n_kept)
    dropped = tuple(f"blk.{layer}." for layer in range(n_kept, stated))
    written = {"general.architecture", "general.file_type", "llama.block_count"}
    for name, field in source.fields.items():
        if name.startswith("GGUF.") or name in written:
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            writer.add_array(name, field.contents())
        else:
            writer.add_key_value(name, field.contents(), field.types[0])
    for tensor in source.tensors:
        if tensor.name.startswith(dropped):
            continue
        weights = gguf.dequantize(tensor.data, tensor.tensor_type)
        if len(tensor.shape) == 1:
            writer.add_tensor(tensor.name, weights)
            continue
        kind = gguf.GGMLQuantizationType[type_of(tensor.name)]
        writer.add_tensor(tensor.name, gguf.quantize(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
