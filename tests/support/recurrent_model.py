"""Writes a tiny Mamba with random weights: a model of which llama.cpp can cut no slot."""

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter

from steer_engine.models import embedded_path

WIDTH, INNER, STATE, KERNEL, RANK, N_LAYERS = 32, 64, 8, 4, 4, 2


def write_mamba(path):
    """Write it to `path`, with the vocabulary of the embedded model."""
    writer = GGUFWriter(path, "mamba")
    n_tokens = copy_tokenizer(GGUFReader(embedded_path()), writer)
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(N_LAYERS)
    writer.add_ssm_conv_kernel(KERNEL)
    writer.add_ssm_inner_size(INNER)
    writer.add_ssm_state_size(STATE)
    writer.add_ssm_time_step_rank(RANK)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(n_tokens)
    for name, weights in weights_of(n_tokens):
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def copy_tokenizer(source, writer):
    """Copy the vocabulary; return how many tokens it has."""
    for name, entry in source.fields.items():
        if name.startswith("tokenizer."):
            is_array = entry.types[0] == GGUFValueType.ARRAY
            add = writer.add_array if is_array else writer.add_key_value
            add(name, entry.contents(), *(() if is_array else entry.types[:1]))
    return len(source.fields["tokenizer.ggml.tokens"].contents())


def weights_of(n_tokens):
    rng = np.random.default_rng(0)

    def some(*shape):
        return rng.normal(scale=0.3, size=shape).astype(np.float32)

    ones = np.ones(WIDTH, np.float32)
    yield "token_embd.weight", some(n_tokens, WIDTH)
    yield "output_norm.weight", ones
    yield "output.weight", some(n_tokens, WIDTH)
    for layer in range(N_LAYERS):
        part = f"blk.{layer}."
        yield part + "attn_norm.weight", ones
        yield part + "ssm_in.weight", some(2 * INNER, WIDTH)
        yield part + "ssm_conv1d.weight", some(INNER, KERNEL)
        yield part + "ssm_conv1d.bias", some(INNER)
        yield part + "ssm_x.weight", some(RANK + 2 * STATE, INNER)
        yield part + "ssm_dt.weight", some(INNER, RANK)
        yield part + "ssm_dt.bias", some(INNER)
        yield part + "ssm_a", -np.tile(np.arange(1, STATE + 1, dtype=np.float32), (INNER, 1))
        yield part + "ssm_d", np.ones(INNER, np.float32)
        yield part + "ssm_out.weight", some(WIDTH, INNER)
