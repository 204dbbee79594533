"""Fabricates the folders in which other programs keep models."""

import json
from hashlib import sha256
from pathlib import Path

from gguf_files import model as gguf_model
from steer_engine.catalogue import Places
from steer_engine.catalogue.places import find_places

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"


def places_below(home: Path) -> Places:
    """Return the places of a user of whom nothing is set, without the folders of services."""
    places = find_places({"OLLAMA_MODELS": str(home / ".ollama" / "models")}, home)
    return Places(places.hub, places.ollama, places.lmstudio, home / ".cache" / "llama.cpp")


def write(file: Path, data: bytes | str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


def cached_repo(cache: Path, repo: str, files: dict[str, bytes], *, ref: str | None = COMMIT):
    """Write a repository as the hub's library has it: blobs, and links to them; return these."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    if ref is not None:
        write(folder / "refs" / "main", ref)
    snapshot = folder / "snapshots" / COMMIT
    for name, data in files.items():
        blob = write(folder / "blobs" / sha256(data).hexdigest(), data)
        link = snapshot / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    return snapshot


def pulled(root: Path, name: str, data: bytes, *, host="registry.ollama.ai") -> Path:
    """Write a model as Ollama has it, with a manifest; return its blob."""
    digest = sha256(data).hexdigest()
    layers = [
        {"mediaType": "application/vnd.ollama.image.template", "digest": "sha256:" + "0" * 64},
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"},
    ]
    write(root / "manifests" / host / name, json.dumps({"schemaVersion": 2, "layers": layers}))
    return write(root / "blobs" / f"sha256-{digest}", data)


def safetensors(**shapes: tuple[int, ...]) -> bytes:
    """Return a file with 16-bit weights of zero; `__` in a name stands for a dot."""
    table, offset = {}, 0
    for name, shape in shapes.items():
        n_bytes = 2
        for n in shape:
            n_bytes *= n
        place = [offset, offset + n_bytes]
        table[name.replace("__", ".")] = {"dtype": "F16", "shape": shape, "data_offsets": place}
        offset += n_bytes
    head = json.dumps({"__metadata__": {"format": "pt"}} | table).encode()
    return len(head).to_bytes(8, "little") + head + bytes(offset)


CONFIG = {
    "model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1,
    "num_hidden_layers": 1, "intermediate_size": 16, "vocab_size": 4,
    "max_position_embeddings": 2048,
}  # fmt: skip


def folder_files() -> dict[str, bytes]:
    """Return a small model as a folder: configuration, tokenizer, weights."""
    weights = safetensors(
        model__embed_tokens__weight=(4, 8),
        model__layers__0__mlp__up_proj__weight=(16, 8),
        model__norm__weight=(8,),
        lm_head__weight=(4, 8),
    )
    return {
        "config.json": json.dumps(CONFIG).encode(),
        "tokenizer.json": b"{}",
        "model.safetensors": weights,
    }


def split_files() -> dict[str, bytes]:
    """Return the same in two parts, with all weights a second time in another library's layout."""
    files = folder_files()
    whole = files.pop("model.safetensors")
    parts = {
        "model-1.safetensors": safetensors(model__embed_tokens__weight=(4, 8)),
        "model-2.safetensors": safetensors(lm_head__weight=(4, 8)),
    }
    index = {"weight_map": {f"tensor {i}": name for i, name in enumerate(parts)}}
    listed = {"model.safetensors.index.json": json.dumps(index).encode()}
    return files | listed | parts | {"consolidated.safetensors": whole}


def small(name: str) -> bytes:
    """Return a GGUF model that differs from those of other names."""
    return gguf_model(general__name=name)
