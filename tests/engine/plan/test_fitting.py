from dataclasses import replace

import pytest

from steer_engine.catalogue import ModelFacts, ModelShape
from steer_engine.plan import ALL_LAYERS, Device, Machine, Need, Room, gigabytes, make_plan

GB = 10**9
# The shape of a model of seven billion parameters, at 8 bits.
SHAPE = ModelShape(
    layer_bytes=(220 * 10**6,) * 32, input_bytes=140 * 10**6, output_bytes=140 * 10**6,
    cache_bytes=(4096,) * 32, state_bytes=0, bytes_by_type={"Q8_0": GB}, width=4096, n_heads=32,
    query_width=4096, key_width=1024, feed_forward_width=14336, n_experts=0,
)  # fmt: skip
FACTS = ModelFacts("seven", "llama", "Q8_0", 7 * GB, 7_320 * 10**6, 8192, 32_000, SHAPE)


def machine(ram, *vram, unified=False, repacked=()):
    devices = tuple(Device(f"GPU{i}", int(n * GB), unified=unified) for i, n in enumerate(vram))
    return Machine(int(ram * GB), devices, frozenset(repacked))


def test_with_room_for_all_there_is_all_of_the_context():
    plan = make_plan(FACTS, machine(64))
    assert plan.fits
    assert plan.room.n_tokens >= FACTS.context_length
    assert plan.most_tokens >= plan.room.n_tokens
    assert (plan.n_gpu_layers, plan.device) == (ALL_LAYERS, Need())
    assert plan.ram.weights == SHAPE.weight_bytes


def test_with_less_memory_the_context_is_shorter():
    all_of_it, less = make_plan(FACTS, machine(64)), make_plan(FACTS, machine(10))
    assert less.fits
    assert 2048 <= less.room.n_tokens < all_of_it.room.n_tokens
    assert less.ram.total <= 0.9 * 10 * GB


def test_a_small_model_gets_more_context_than_one_row_can_use():
    shape = replace(SHAPE, layer_bytes=(10**6,) * 2, cache_bytes=(1024,) * 2, n_heads=4)
    plan = make_plan(replace(FACTS, shape=shape, context_length=2048), machine(64))
    assert plan.room.n_tokens > 8 * 2048
    assert plan.ram.cache + plan.ram.compute <= 2**31


def test_slots_and_context_are_those_that_are_asked_for():
    one, many = (make_plan(FACTS, machine(64), Room(4096, n)) for n in (1, 16))
    assert many.room == Room(4096, 16)
    assert many.ram.process - one.ram.process == 2 * 15 * 32_000 * 4
    assert many.ram.cache == one.ram.cache == 4096 * sum(SHAPE.cache_bytes)


def test_what_does_not_fit_says_what_would():
    plan = make_plan(FACTS, machine(6), Room(32_768))
    assert not plan.fits
    assert plan.advice == "needs 15.1 GB, 5.4 GB free: try Q2_K (2.8 GB) with --ctx 8192"
    assert plan.most_tokens == 0


def test_a_shorter_context_is_advised_where_that_is_enough():
    plan = make_plan(FACTS, machine(10.5), Room(32_768))
    assert not plan.fits
    advised = int(plan.advice.rpartition("--ctx ")[2])
    assert make_plan(FACTS, machine(10.5), Room(advised)).fits
    assert advised % 1024 == 0
    assert plan.advice == "needs 15.1 GB, 9.4 GB free: try --ctx 8192"


@pytest.mark.parametrize("n_slots", [1, 16])
@pytest.mark.parametrize("vram", [(), (4,)])
def test_the_longest_context_is_what_is_advised_and_no_more_fits(vram, n_slots):
    here = machine(10.5, *vram)
    plan = make_plan(FACTS, here, Room(999_999, n_slots))
    assert plan.advice.endswith(f"try --ctx {plan.most_tokens}")
    assert make_plan(FACTS, here, Room(plan.most_tokens, n_slots)).fits
    assert not make_plan(FACTS, here, Room(plan.most_tokens + 1024, n_slots)).fits


def test_a_smaller_quantization_is_advised_where_that_is_enough():
    plan = make_plan(FACTS, machine(8), Room(2048))
    assert not plan.fits
    assert plan.advice == "needs 8.0 GB, 7.2 GB free: try Q6_K (5.8 GB)"


def test_where_nothing_helps_the_size_that_would_fit_is_told():
    plan = make_plan(FACTS, machine(1.5), Room(2048))
    assert plan.advice == (
        "needs 8.0 GB, 1.4 GB free: a model of at most 1.6 billion parameters fits here (in Q4_K_M)"
    )


def test_where_there_is_hardly_any_memory_a_server_is_advised():
    plan = make_plan(FACTS, machine(0.3), Room(2048))
    assert plan.advice.endswith("270 MB free: free some memory, or use a model on a server")


def test_a_gpu_with_room_takes_all():
    plan = make_plan(FACTS, machine(16, 24), Room(4096))
    assert plan.fits
    assert plan.n_gpu_layers == ALL_LAYERS
    assert plan.device.weights == sum(SHAPE.layer_bytes) + SHAPE.output_bytes
    assert plan.device.cache == 4096 * sum(SHAPE.cache_bytes)
    assert (plan.ram.weights, plan.ram.cache, plan.ram.compute) == (SHAPE.input_bytes, 0, 0)


@pytest.mark.parametrize(("vram", "takes_all"), [(11.5, True), (15.5, True), (7.5, False)])
def test_layers_come_before_a_long_context(vram, takes_all):
    facts, here = replace(FACTS, context_length=131_072), machine(60, vram)
    plan = make_plan(facts, here)
    assert plan.fits
    assert plan.n_gpu_layers == make_plan(facts, here, Room(8192)).n_gpu_layers
    assert (plan.n_gpu_layers == ALL_LAYERS) == takes_all
    assert plan.room.n_tokens >= 8192


def test_the_context_grows_into_what_the_layers_leave():
    facts = replace(FACTS, context_length=131_072)
    rooms = [make_plan(facts, machine(60, vram)).room.n_tokens for vram in (10.5, 15.5, 20, 40)]
    assert rooms == sorted(set(rooms))
    assert rooms[-1] == 131_072


def test_a_small_gpu_takes_the_last_layers():
    plan = make_plan(FACTS, machine(16, 4), Room(4096))
    assert plan.fits
    assert 0 < plan.n_gpu_layers < 32
    assert plan.device.total <= 0.9 * 4 * GB
    n_kept = 33 - plan.n_gpu_layers
    assert plan.ram.weights == SHAPE.input_bytes + n_kept * SHAPE.layer_bytes[0]
    assert plan.ram.cache == n_kept * 4096 * 4096
    smaller = make_plan(FACTS, machine(16, 3), Room(4096))
    assert smaller.n_gpu_layers < plan.n_gpu_layers


def test_two_gpus_count_together():
    assert make_plan(FACTS, machine(16, 6, 6), Room(4096)).n_gpu_layers == ALL_LAYERS


def test_a_gpu_without_room_takes_nothing():
    plan = make_plan(FACTS, machine(64, 0.1), Room(4096))
    assert plan.fits
    assert (plan.n_gpu_layers, plan.device) == (0, Need())


def test_unified_memory_is_counted_once():
    plan = make_plan(FACTS, machine(16, 16, unified=True), Room(4096))
    assert plan.fits
    assert plan.n_gpu_layers == ALL_LAYERS
    assert plan.device == Need()
    assert plan.ram.weights >= SHAPE.weight_bytes
    assert not make_plan(FACTS, machine(6, 6, unified=True), Room(4096)).fits


def test_weights_in_another_order_are_there_twice_on_a_cpu():
    ways = [(), ("Q4_0",), ("Q4_0", "Q8_0")]
    plain, other, twice = (make_plan(FACTS, machine(64, repacked=r), Room(512)) for r in ways)
    assert other.ram.weights == plain.ram.weights
    assert twice.ram.weights - plain.ram.weights == GB
    given = make_plan(FACTS, machine(64, 24, repacked=["Q8_0"]), Room(512))
    assert given.ram.weights == SHAPE.input_bytes


def test_the_state_of_a_recurrent_model_is_counted_by_slots():
    facts = replace(FACTS, shape=replace(SHAPE, cache_bytes=(0,) * 32, state_bytes=10**6))
    assert make_plan(facts, machine(64), Room(4096, 8)).ram.cache == 8 * 10**6
    given = make_plan(facts, machine(64, 24), Room(4096, 8))
    assert (given.ram.cache, given.device.cache) == (0, 8 * 10**6)


def test_a_model_of_which_nothing_is_known_has_a_plan():
    shape = ModelShape((), 0, 0, (), 0, 0, 0, 0, 0, 0, 0, 0)
    plan = make_plan(ModelFacts("m", "unknown", "unknown", 0, 0, 0, 0, shape), machine(8))
    assert plan.fits
    assert plan.advice.endswith("7.2 GB free")


@pytest.mark.parametrize(
    ("n_bytes", "text"), [(0, "0 MB"), (9 * 10**6, "9 MB"), (13_100_000_000, "13.1 GB")]
)
def test_sizes_are_rounded(n_bytes, text):
    assert gigabytes(n_bytes) == text
