import io
import random
import struct
import time
import tracemalloc

import pytest

from gguf_files import entry, gguf, model, text
from steer_engine import ModelError
from steer_engine.catalogue.gguf import LongArray, read_gguf
from steer_engine.catalogue.gguf_facts import gguf_facts, read_gguf_facts
from steer_engine.catalogue.tensor_types import TENSOR_TYPES
from steer_engine.models import embedded_path


def read(data, *, n_bytes=None):
    return read_gguf(io.BytesIO(data), "a.gguf", n_bytes=len(data) if n_bytes is None else n_bytes)


def test_a_header_says_what_was_written():
    header = read(model(n_tokens=2000))
    assert header.metadata["general.name"] == "small"
    assert header.metadata["tokenizer.ggml.tokens"] == LongArray(2000)
    assert header.tensors[0].name == "token_embd.weight"
    assert header.tensors[1].shape == (64, 128)
    assert header.tensors[1].n_bytes == 2 * 64 * 128
    assert header.n_bytes == len(model(n_tokens=2000))


def test_short_arrays_of_numbers_are_kept_and_others_counted():
    header = read(gguf({"a": [1, 2, 3], "b": list(range(5000)), "c": "x" * 70000, "d": 7}))
    assert header.metadata == {"a": (1, 2, 3), "b": LongArray(5000), "c": "", "d": 7}


def test_the_facts_of_the_embedded_model():
    facts = read_gguf_facts([embedded_path()])
    named = (facts.name, facts.architecture, facts.quantization)
    assert named == ("steermagic-tiny", "llama", "Q8_0")
    assert (facts.n_params, facts.context_length, facts.vocab_size) == (22277952, 2048, 4096)
    assert sum(facts.shape.cache_bytes) == 10 * 2 * 2 * 192
    assert facts.size_bytes == embedded_path().stat().st_size


def test_every_type_takes_the_bytes_that_ggml_says():
    import ctypes

    from llama_cpp._ggml import libggml

    libggml.ggml_type_size.restype = ctypes.c_size_t
    libggml.ggml_blck_size.restype = ctypes.c_int64
    libggml.ggml_type_name.restype = ctypes.c_char_p
    for code, kind in TENSOR_TYPES.items():
        assert libggml.ggml_type_name(code).decode().upper() == kind.name
        assert libggml.ggml_blck_size(code) == kind.n_weights
        assert libggml.ggml_type_size(code) == kind.n_bytes


def test_a_type_that_is_too_new_reaches_to_the_next_tensor():
    rows = [("a", (32,), 99, 64), ("b", (8,), 0, 32)]
    tensors = read(gguf({}, rows)).tensors
    assert [(t.type_name, t.n_bytes) for t in tensors] == [("type 99", 64), ("F32", 32)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "ends in its header"),
        (b"GGML" + bytes(100), "is not a GGUF file"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "tensors"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60), "keys"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**62), "ends in its header"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 5000) + bytes(6000), "a name of 5000 bytes"),
        (gguf({"a": 1})[:-30], "ends in its header"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<I", 77), "kind 77"),
        (
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 8, 2**50),
            "strings",
        ),
        (
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 9, 2),
            "arrays of kind 9",
        ),
        (gguf({"general.alignment": 0}), "alignment"),
        (gguf({}, [("a", (2**40, 2**40), 0, 32)]), "weights"),
    ],
)
def test_a_hostile_header_is_refused(data, said):
    with pytest.raises(ModelError, match=said):
        read(data)


def test_a_file_without_all_of_its_weights_is_told():
    whole = model()
    with pytest.raises(ModelError, match=r"is not whole: it has [\d,]+ of [\d,]+ bytes"):
        read(whole[:-100])


def test_a_model_of_too_many_layers_is_refused():
    header = read(gguf({"general.architecture": "llama", "llama.block_count": 2**31}))
    with pytest.raises(ModelError, match="layers"):
        gguf_facts([header], "a", size_bytes=1)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        read_gguf_facts([tmp_path])


def test_facts_of_a_recurrent_model_with_experts():
    header = read(
        gguf(
            {
                "general.architecture": "jamba",
                "jamba.block_count": 2,
                "jamba.embedding_length": 64,
                "jamba.attention.head_count": 4,
                "jamba.attention.head_count_kv": [0, 2],
                "jamba.expert_used_count": 2,
                "jamba.expert_feed_forward_length": 96,
                "jamba.ssm.inner_size": 128,
                "jamba.ssm.state_size": 16,
                "jamba.ssm.conv_kernel": 4,
                "jamba.vocab_size": 77,
            },
            [("blk.1.ffn_up.weight", (32,), 2, 18)],
        )
    )
    facts = gguf_facts([header], "j", size_bytes=10)
    assert facts.shape.cache_bytes == (0, 2 * 2 * 32)
    assert facts.shape.state_bytes == 4 * (3 * 128 + 16 * 128)
    assert (facts.shape.n_experts, facts.shape.feed_forward_width) == (2, 96)
    assert (facts.quantization, facts.vocab_size, facts.name) == ("Q4_0", 77, "j")
    assert facts.shape.bytes_by_type == {"Q4_0": 18}


def _damaged(data, random_):
    kind = random_.randrange(4)
    if kind == 0:
        return data[: random_.randrange(len(data))]
    damaged = bytearray(data[:4096])
    for _ in range(random_.randrange(1, 8)):
        at = random_.randrange(4, min(len(damaged), 400))
        if kind == 1:
            damaged[at] ^= 1 << random_.randrange(8)
        elif kind == 2:
            n_bits = random_.choice([8, 32, 64])
            damaged[at : at + 8] = struct.pack("<Q", random_.getrandbits(n_bits))
        else:
            damaged[at : at + 4] = b"\xff" * 4
    return bytes(damaged)


def test_a_thousand_damaged_headers_cost_little_and_raise_nothing_else():
    whole, random_ = model(n_tokens=300), random.Random(7)
    tracemalloc.start()
    longest, n_refused = 0.0, 0
    for _ in range(1000):
        data, begun = _damaged(whole, random_), time.process_time()
        try:
            gguf_facts([read(data)], "a", size_bytes=len(data))
        except ModelError as error:
            assert "\n" not in str(error)  # noqa: PT017 - most are refused, not all
            n_refused += 1
        longest = max(longest, time.process_time() - begun)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_refused > 500
    assert longest < 1.0
    assert peak < 2**23


def test_a_huge_header_of_empty_strings_is_refused_at_once():
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
    data = head + text("a") + struct.pack("<IIQ", 9, 8, 2**23) + bytes(2**20)
    with pytest.raises(ModelError, match="strings"):
        read(data, n_bytes=2**40)


def test_no_header_is_read_further_than_its_limit():
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + entry("a", 1) + text("b")
    data = head + struct.pack("<IQ", 8, 2**27)
    with pytest.raises(ModelError, match="damaged header"):
        read(data, n_bytes=2**40)
