"""Writes the embedded model with weights of other types."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from steer_engine.models import embedded_path


def write_four_bits(path: Path) -> None:
    """Write it with weights that CPUs lay out anew; its answers are worth nothing."""
    _write(path, lambda name: "Q4_0" if name.startswith("blk.") else "F16")


@cache
def float_model() -> Path:
    """Return the path of a copy in 16-bit floats, whose logits hardly depend on their company.

    llama.cpp rounds the inputs of quantized weights to 8 bits. A last digit that falls otherwise
    in a call of another shape then moves a logit by a tenth.
    """
    path = Path(tempfile.mkdtemp()) / "steermagic-tiny.gguf"
    _write(path, lambda name: "F16")
    return path


def _write(path: Path, type_of: Callable[[str], str]) -> None:
    gguf = pytest.importorskip("gguf")
    source = gguf.GGUFReader(embedded_path())
    writer = gguf.GGUFWriter(path, "llama")
    for name, field in source.fields.items():
        if name.startswith("GGUF.") or name in {"general.architecture", "general.file_type"}:
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            writer.add_array(name, field.contents())
        else:
            writer.add_key_value(name, field.contents(), field.types[0])
    for tensor in source.tensors:
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
