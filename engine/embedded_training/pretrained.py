"""Cuts a start for the embedded model out of SmolLM2-135M-Instruct, which can copy already.

``python -m embedded_training.pretrained SMOLLM2.gguf --out START.gguf``

What is kept, of 30 layers with 1,536 hidden neurons each and 49,152 tokens:

- The embedding's rows of the tokens in `tokenizer.json`.
- Ten layers: the first three, which put letters together to words; those whose heads look one
  token back or find what followed the same tokens before (11, 16, 17, 18, 23, 24); and the last
  one, which turns all this into the next token.
- In each layer, the neurons that do most on texts of the corpus.

Cut like this it writes nonsense; a few million tokens of training mend it. To prune like this and
then train is what "Compact Language Models via Pruning and Knowledge Distillation"
(https://arxiv.org/abs/2407.14679) describes.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from gguf import GGUFReader
from torch import Tensor

from embedded_training.corpus import example
from embedded_training.export import Weights, read_gguf, shape_of, write_gguf
from embedded_training.layout import lay_out
from embedded_training.network import Network, NetworkShape
from embedded_training.operations import linear
from embedded_training.tokenizer import (
    ASSISTANT,
    END,
    PAD,
    SYSTEM,
    USER,
    TokenId,
    load_tokenizer,
    make_encoder,
)

LAYERS = (0, 1, 2, 11, 16, 17, 18, 23, 24, 29)
N_EXAMPLES = 120

SAME_AS = {
    PAD: "<|endoftext|>",
    SYSTEM: "<|im_start|>",
    USER: "<|im_start|>",
    ASSISTANT: "<|im_start|>",
    END: "<|im_end|>",
}
UNKNOWN = "<|endoftext|>"  # for a few bytes that no text has


def cut(weights: Weights, shape: NetworkShape, tokens: Sequence[str]) -> dict[str, Tensor]:
    """Return what is kept of a model with these weights and tokens, in `NetworkShape()`."""
    place = {token: index for index, token in enumerate(tokens)}
    own = load_tokenizer()
    names = [SAME_AS.get(i) or own.id_to_token(i) for i in range(own.get_vocab_size())]
    rows = torch.tensor([place.get(name, place[UNKNOWN]) for name in names])
    kept = {"embedding": weights["embedding"][rows], "output_gain": weights["output_gain"]}

    whole = Network(replace(shape, vocabulary_size=len(rows)), seed=0)
    whole.load_state_dict({**weights, **kept})
    for number, (layer, work) in enumerate(zip(LAYERS, _work(whole), strict=True)):
        best = work.topk(NetworkShape().hidden_width).indices.sort().values
        gate, up = weights[f"blocks.{layer}.gate_up"].chunk(2)
        source, target = f"blocks.{layer}.", f"blocks.{number}."
        kept[target + "qkv"] = weights[source + "qkv"]
        kept[target + "attention_out"] = weights[source + "attention_out"]
        kept[target + "gate_up"] = torch.cat([gate[best], up[best]])
        kept[target + "down"] = weights[source + "down"][:, best]
    return kept


@torch.no_grad()
def _work(whole: Network) -> list[Tensor]:
    """Return how much each hidden neuron adds on texts of the corpus, for the layers to keep."""
    encode = make_encoder(load_tokenizer())
    sums = [torch.zeros(whole.shape.hidden_width) for _ in whole.layers()]
    for seed in range(N_EXAMPLES):
        ids: list[TokenId] = lay_out(example(f"pretrained {seed}"), encode).ids
        x = whole.embedding[torch.tensor([ids])]
        for layer, block in enumerate(whole.layers()):
            x, hidden = block.think(block.gather(x))
            sums[layer] += hidden.abs().sum((0, 1)) * block.down.norm(dim=0)
            x = x + linear(hidden, block.down)
    return [sums[layer] for layer in LAYERS]


def main() -> None:
    """Write the start as a file that training and llama.cpp read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("smollm2", type=Path, help="a GGUF file of SmolLM2-135M-Instruct")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    tokens = GGUFReader(arguments.smollm2).fields["tokenizer.ggml.tokens"].contents()
    weights = cut(read_gguf(arguments.smollm2), shape_of(arguments.smollm2), tokens)
    write_gguf(arguments.out, NetworkShape(), weights, quantization="F32")


if __name__ == "__main__":
    main()
