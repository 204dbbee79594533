"""Writes the embedded model with weights of four bits, which CPUs lay out anew."""

from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import quantize

from steer_engine.models import embedded_path


def write_four_bits(path):
    """Write it to `path`; its answers are worth nothing."""
    source = GGUFReader(embedded_path())
    writer = GGUFWriter(path, "llama")
    for name, field in source.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        if field.types[0] == GGUFValueType.ARRAY:
            writer.add_array(name, field.contents())
        else:
            writer.add_key_value(name, field.contents(), field.types[0])
    for tensor in source.tensors:
        if tensor.name.startswith("blk.") and len(tensor.shape) == 2:
            kind = GGMLQuantizationType.Q4_0
            writer.add_tensor(tensor.name, quantize(tensor.data, kind), raw_dtype=kind)
        else:
            writer.add_tensor(tensor.name, tensor.data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
