"""Compares the logits of one model file in llama.cpp, PyTorch and transformers.

``python -m embedded_training.agreement [FILE.gguf]`` prints the differences.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from embedded_training.corpus import example
from embedded_training.export import Weights, read_gguf, shape_of, write_hugging_face
from embedded_training.network import Network, NetworkShape
from embedded_training.prompts import instruction
from embedded_training.tokenizer import TokenId

Logits = NDArray[np.float32]


def prompt_of_length(path: Path, n_tokens: int) -> list[TokenId]:
    """Return as many tokens of texts of the corpus, as the model's own tokenizer cuts them."""
    import llama_cpp

    llama = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
    tokens: list[TokenId] = []
    seed = 0
    while len(tokens) < n_tokens:
        item = example(f"agreement {seed}")
        text = f"<|system|>{instruction(item.schema)}<|user|>{item.prompt}<|assistant|>"
        tokens += llama.tokenize(text.encode(), add_bos=False, special=True)
        seed += 1
    llama.close()
    return tokens[:n_tokens]


def llama_cpp_logits(path: Path, tokens: Sequence[TokenId]) -> Logits:
    """Return what llama.cpp computes with keys and values kept in float32.

    Shape ``(tokens, vocab_size)``, as for the others.
    """
    import llama_cpp

    llama = llama_cpp.Llama(
        str(path),
        n_ctx=len(tokens),
        logits_all=True,
        type_k=llama_cpp.GGML_TYPE_F32,
        type_v=llama_cpp.GGML_TYPE_F32,
        verbose=False,
    )
    llama.eval(tokens)
    logits: Logits = llama.scores[: len(tokens)].copy()
    llama.close()
    return logits


def engine_logits(path: Path, tokens: Sequence[TokenId]) -> Logits:
    """Return what the engine gets from llama.cpp, which keeps keys and values in float16."""
    from steer_engine.backends import Run
    from steer_engine.backends.llamacpp import LlamaCppBackend

    backend = LlamaCppBackend(path)
    try:
        backend.reserve(n_slots=1, n_tokens=len(tokens))
        [logits] = backend.forward([Run(0, list(tokens), n_logits=len(tokens))])
    finally:
        backend.close()
    return logits


@torch.no_grad()
def pytorch_logits(shape: NetworkShape, weights: Weights, tokens: Sequence[TokenId]) -> Logits:
    """Return what the network that is trained computes, in float32."""
    network = Network(shape, seed=0)
    network.load_state_dict(dict(weights))
    logits: Logits = network(torch.tensor([list(tokens)]), dtype=torch.float32)[0].numpy()
    return logits


@torch.no_grad()
def transformers_logits(shape: NetworkShape, weights: Weights, tokens: Sequence[TokenId]) -> Logits:
    """Return what transformers computes from the exported folder, in float32."""
    from transformers import AutoModelForCausalLM

    with tempfile.TemporaryDirectory() as folder:
        write_hugging_face(Path(folder), shape, weights)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    logits: Logits = model(torch.tensor([list(tokens)])).logits[0].numpy()
    return logits


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the logits of the others are from those of PyTorch."""

    n_tokens: int
    largest_logit: float
    largest: dict[str, float]
    """The largest difference of any logit at any position."""
    mean: dict[str, float]
    same_choice: float
    """The share of positions at which all would choose the same token."""


def compare(path: Path, tokens: Sequence[TokenId]) -> Agreement:
    """Return how well all agree on the logits behind each of the tokens."""
    shape = shape_of(path)
    weights = read_gguf(path)
    ours = pytorch_logits(shape, weights, tokens)
    others = {
        "llama.cpp": llama_cpp_logits(path, tokens),
        "engine": engine_logits(path, tokens),
        "transformers": transformers_logits(shape, weights, tokens),
    }
    differences = {name: np.abs(logits - ours) for name, logits in others.items()}
    best = ours.argmax(-1)
    same = np.logical_and.reduce([logits.argmax(-1) == best for logits in others.values()])
    return Agreement(
        n_tokens=len(tokens),
        largest_logit=float(np.abs(ours).max()),
        largest={name: float(each.max()) for name, each in differences.items()},
        mean={name: float(each.mean()) for name, each in differences.items()},
        same_choice=float(same.mean()),
    )


def main() -> None:
    """Print what was found, as one JSON object for each length."""
    from steer_engine.models import embedded_path

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=Path, nargs="?", default=embedded_path())
    arguments = parser.parse_args()
    for n_tokens in (200, shape_of(arguments.gguf).max_tokens):
        print(
            json.dumps(asdict(compare(arguments.gguf, prompt_of_length(arguments.gguf, n_tokens))))
        )


if __name__ == "__main__":
    main()
