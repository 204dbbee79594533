"""Writes small GGUF files: headers as llama.cpp has them, and weights of zeros."""

import struct

STRING, ARRAY, U32 = 8, 9, 4


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key, value):
    if isinstance(value, str):
        return text(key) + struct.pack("<I", STRING) + text(value)
    if isinstance(value, list):
        if value and isinstance(value[0], str):
            items = struct.pack("<IQ", STRING, len(value)) + b"".join(map(text, value))
        else:
            items = struct.pack(f"<IQ{len(value)}I", U32, len(value), *value)
        return text(key) + struct.pack("<I", ARRAY) + items
    return text(key) + struct.pack("<II", U32, value)


def gguf(metadata, tensors=(), *, version=3):
    """Return a file. A tensor is its name, shape, type and size in bytes."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    head += b"".join(entry(key, value) for key, value in metadata.items())
    offset = 0
    for name, shape, code, n_bytes in tensors:
        head += text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        head += struct.pack("<IQ", code, offset)
        offset += -(-n_bytes // 32) * 32
    return head + bytes(-len(head) % 32) + bytes(offset)


def model(n_layers=2, width=64, *, n_tokens=8, **more):
    """Return a small model of llama's shape in F16."""
    metadata = {
        "general.architecture": "llama",
        "general.name": "small",
        "general.file_type": 1,
        "llama.block_count": n_layers,
        "llama.context_length": 4096,
        "llama.embedding_length": width,
        "llama.feed_forward_length": 2 * width,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "tokenizer.ggml.tokens": [f"t{i}" for i in range(n_tokens)],
    } | {key.replace("__", "."): value for key, value in more.items()}
    tensors = [("token_embd.weight", (width, n_tokens), 1, 2 * width * n_tokens)]
    tensors += [
        (f"blk.{i}.ffn_up.weight", (width, 2 * width), 1, 4 * width * width)
        for i in range(n_layers)
    ]
    tensors.append(("output_norm.weight", (width,), 0, 4 * width))
    return gguf(metadata, tensors)
