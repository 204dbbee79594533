"""The formulas beside what llama.cpp says that it allocates."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from steer_engine.catalogue import ModelFacts, ModelShape, find_at, read_facts
from steer_engine.models import embedded_path
from steer_engine.plan import BATCH, OUTPUTS, PROCESS, Need, Room
from steer_engine.plan.sizes import compute_bytes, process_bytes, work_bytes

# llama.cpp's log can be had once in a process, and the product keeps it silent.
SPY = """
import ctypes, json, sys, llama_cpp.llama_cpp as native
lines = []
keep = native.llama_log_callback(lambda level, text, data: lines.append(text.decode()))
native.llama_log_set(keep, ctypes.c_void_p(0))
native.llama_backend_init()
model = native.llama_model_load_from_file(sys.argv[1].encode(), native.llama_model_default_params())
for n_cells, n_slots, flash in json.loads(sys.argv[2]):
    params = native.llama_context_default_params()
    params.n_ctx, params.n_seq_max, params.kv_unified = n_cells, n_slots, True
    params.n_batch = params.n_ubatch = int(sys.argv[3])
    params.n_outputs_max = int(sys.argv[4])
    params.flash_attn_type = int(flash)
    native.llama_free(native.llama_init_from_model(model, params))
print("".join(lines))
"""
ROOMS = [(256, 1, False), (512, 4, False), (2048, 8, False), (8192, 32, False), (2048, 8, True)]


@pytest.fixture(scope="module")
def said():
    """What llama.cpp says for each of the rooms: MiB of its cache and of its compute buffer."""
    arguments = [str(embedded_path()), json.dumps(ROOMS), str(BATCH), str(OUTPUTS)]
    done = subprocess.run(
        [sys.executable, "-c", SPY, *arguments], check=True, capture_output=True, text=True
    )
    caches = re.findall(r"CPU KV buffer size = +([\d.]+) MiB", done.stdout)
    computes = re.findall(r"CPU compute buffer size = +([\d.]+) MiB", done.stdout)
    assert len(caches) == len(computes) == len(ROOMS)
    return [(float(a) * 2**20, float(b) * 2**20) for a, b in zip(caches, computes, strict=True)]


@pytest.mark.parametrize("i", range(len(ROOMS)))
def test_cache_and_computing_take_what_llama_cpp_allocates(said, i):
    n_cells, n_slots, flash = ROOMS[i]
    facts, room = read_facts(find_at(embedded_path())), Room(n_cells, n_slots)
    cache, compute = said[i]
    assert sum(facts.shape.cache_bytes) * room.n_cells == pytest.approx(cache, rel=0.01)
    assert compute_bytes(facts, room, flash=flash) == pytest.approx(compute, rel=0.1)


SHAPE = ModelShape(
    layer_bytes=(1000, 1000), input_bytes=400, output_bytes=600, cache_bytes=(64, 64),
    state_bytes=0, bytes_by_type={}, width=32, n_heads=4, query_width=32, key_width=16,
    feed_forward_width=96, n_experts=0,
)  # fmt: skip
FACTS = ModelFacts("m", "llama", "F16", 1300, 2600, 4096, 100, SHAPE)


def test_the_cache_is_allocated_in_steps():
    assert [Room(n).n_cells for n in (1, 256, 257)] == [256, 256, 512]


def test_needs_add_up():
    need = Need(1, 2, 3, 4) + Need(10, 20, 30, 40)
    assert (need, need.total) == (Need(11, 22, 33, 44), 110)


def test_each_slot_has_logits():
    one, many = (process_bytes(FACTS, Room(512, n)) for n in (1, 11))
    assert one > PROCESS
    assert many - one == 2 * 10 * 100 * 4


def test_the_widest_moment_counts():
    def compute(**more):
        facts = replace(FACTS, shape=replace(SHAPE, **more))
        return compute_bytes(facts, Room(512), flash=True)

    mask = 512 * 512 * 2
    assert compute() == mask + (3 * 96 + 4 * 32) * 512 * 4
    assert compute(width=48) == mask + (2 * 96 + 4 * 48) * 512 * 4
    assert compute(has_window=True) == compute() + mask
    assert compute(n_experts=2) == mask + 2 * 2 * (96 + 32) * 512 * 4
    assert compute(width=1, feed_forward_width=1) == mask + (3 + 2 * 32 + 16) * 512 * 4
    wordy = replace(FACTS, vocab_size=10**6)
    assert compute_bytes(wordy, Room(512), flash=True) == mask + OUTPUTS * 10**6 * 4


def test_without_flash_attention_it_grows_with_heads_and_context():
    few, many = (compute_bytes(FACTS, Room(n), flash=False) for n in (1024, 2048))
    assert many - few == 1024 * (4 + 1) * 512 * 4
    assert work_bytes(FACTS, Room(2048)) == 2 * 512 * 4 * 2048 * 2
    assert work_bytes(FACTS, Room(2**16)) == 512 * 4 * 2**16 * 2 + 2**25
    assert (
        work_bytes(replace(FACTS, shape=replace(SHAPE, n_heads=0)), Room(2048)) == 2 * 512 * 96 * 2
    )
