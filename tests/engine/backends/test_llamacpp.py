"""What is particular to llama.cpp; what all backends share is in test_contract.py."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import replace

import numpy as np
import pytest

from forwards import forward
from requantized import float_model
from steer_engine import (
    Engine,
    ModelError,
    PromptTooLongError,
    Request,
    RowDone,
    RowFailed,
    Sampling,
    StepsUndone,
    compose,
    open_engine,
    read_schema,
)
from steer_engine.backends import Run, llamacpp
from steer_engine.backends.llamacpp import LlamaCppBackend
from steer_engine.backends.llamacpp_model import _GGML_LOG_LEVEL_ERROR, native_log
from steer_engine.backends.llamacpp_vocabulary import read_vocabulary
from steer_engine.errors import BackendError, DefectError, PromptError
from steer_engine.models import embedded_path
from steer_engine.plan import Room


def test_the_native_log_reaches_neither_stdout_nor_stderr():
    code = f"""
import sys
class Notebook:  # a kernel's stream: no fileno, no buffer
    def write(self, text): raise SystemExit("something was written: " + text)
    def flush(self): pass
sys.stdout = sys.stderr = Notebook()
from steer_engine import open_engine
open_engine({str(embedded_path())!r}).close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_an_interrupt_stops_a_long_prefill_and_the_model_stays_usable(monkeypatch):
    """A native call holds back Ctrl-C until it returns: on a large model that is half a minute."""
    backend = LlamaCppBackend(embedded_path(), n_threads=1)
    tokens = backend.vocabulary.tokenize("word " * 1000, parse_special=False)[:1900]
    backend.reserve(n_slots=1, n_tokens=2000)
    pressed = threading.Timer(0.02, os.kill, [os.getpid(), signal.SIGINT])
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the signal may come between two calls
        pressed.start()
        for _ in range(1000):
            backend.forward([Run(0, tokens)])
            backend.trim(0, len(tokens))
        time.sleep(1)
    backend.reserve(n_slots=1, n_tokens=2000)
    [logits] = forward(backend, [Run(0, tokens[:10])])
    backend.reserve(n_slots=1, n_tokens=2000)
    [again] = forward(backend, [Run(0, tokens[:10])])
    assert np.array_equal(logits, again)
    backend.close()


def test_an_interrupt_while_a_context_is_opened_is_not_lost():
    """llama.cpp logs while it opens one, and ctypes swallows what is raised in its callback."""
    backend = LlamaCppBackend(embedded_path(), n_threads=1)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    n_seen = 0
    for delay in range(1, 21):
        backend.reserve(n_slots=1, n_tokens=8)
        backend._free_context()
        try:
            signal.setitimer(signal.ITIMER_REAL, delay / 2000)
            backend.reserve(n_slots=4, n_tokens=2000)
            time.sleep(1)
        except KeyboardInterrupt:
            n_seen += 1
    signal.signal(signal.SIGALRM, before)
    assert n_seen == 20
    backend.reserve(n_slots=1, n_tokens=8)
    assert np.isfinite(forward(backend, [Run(0, [65])])[0]).all()
    backend.close()


def test_a_third_party_model_loads_and_rolls_back(shared):
    backend = LlamaCppBackend(shared / "models" / "stories260K.gguf")
    assert backend.info.architecture == "llama"
    assert backend.info.n_params == 260_032
    assert backend.chat_template is None
    tokens = backend.vocabulary.tokenize("Once upon a time", parse_special=False)
    backend.reserve(n_slots=1, n_tokens=64)
    [first] = forward(backend, [Run(0, [backend.vocabulary.bos_id, *tokens])])
    backend.forward([Run(0, tokens)])
    backend.trim(0, len(tokens) + 1)
    [again] = forward(backend, [Run(0, tokens[-1:])])
    assert np.allclose(first, again, atol=1e-3)
    backend.close()


@pytest.mark.parametrize(
    ("name", "size", "has_bos"),
    [
        ("llama-bpe", 128_256, True),
        ("qwen2", 151_936, False),
        ("llama-spm", 32_000, True),
        ("gpt-2", 50_257, False),
    ],
)
def test_real_vocabularies_are_read_with_their_bytes(shared, name, size, has_bos):
    vocabulary = read_vocabulary(shared / "vocab" / f"ggml-vocab-{name}.gguf")
    assert vocabulary.vocab_size == size
    assert vocabulary.adds_bos == has_bos
    assert vocabulary.eos_ids
    assert vocabulary.eos_ids <= vocabulary.special_ids
    for text in ["Hello", " Hello", "a  b\n\n\tc", "naïve 😀 漢字", '{"a": 1}', "x" * 300]:
        tokens = vocabulary.tokenize(text, parse_special=False)
        assert vocabulary.spell(tokens) == text.encode()


@pytest.mark.parametrize("letter", ["x", "-", "名"])
def test_a_word_of_any_length_is_tokenized(letter):
    """llama.cpp's search for words takes some stack for each letter of one."""
    vocabulary, usual = read_vocabulary(embedded_path()), threading.stack_size()
    tokens = vocabulary.tokenize(letter * 100_000, parse_special=False)
    assert vocabulary.spell(tokens) == letter.encode() * 100_000
    assert threading.stack_size() == usual


def test_a_text_for_which_there_is_no_stack_is_refused_in_one_line(monkeypatch):
    def refuse(work):
        raise RuntimeError("can't start new thread")

    vocabulary, usual = read_vocabulary(embedded_path()), threading.stack_size()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(PromptError, match=r"of 5000 bytes is too long .* shorten the text"):
        vocabulary.tokenize("x" * 5000, parse_special=False)
    assert threading.stack_size() == usual


def test_a_token_longer_than_the_first_buffer_keeps_its_bytes(shared):
    """llama-cpp-python itself loses tokens of more than 32 bytes."""
    vocabulary = read_vocabulary(shared / "vocab" / "ggml-vocab-qwen2.gguf")
    assert b" " * 128 in vocabulary.spellings


def test_a_context_that_does_not_fit_is_an_error_that_says_what_to_do(monkeypatch):
    backend = LlamaCppBackend(embedded_path())
    with monkeypatch.context() as patch:
        patch.setattr("llama_cpp.llama_cpp.llama_init_from_model", lambda model, params: None)
        with pytest.raises(BackendError, match="use a smaller max_tokens"):
            backend.reserve(n_slots=1, n_tokens=64)
    backend.reserve(n_slots=1, n_tokens=64)
    backend.forward([Run(0, [65])])
    backend.close()


def test_where_memory_is_the_limit_a_row_is_shorter_than_the_context():
    schema = read_schema("name: str, born: int")
    backend = LlamaCppBackend(embedded_path(), n_threads=1)
    backend._plan = replace(backend._plan, room=Room(512))
    assert backend.max_row_tokens == 512
    texts = ["Ann was born in 1900. " * n for n in (12, 60)]
    asked = [Request(row, compose(text, schema), schema) for row, text in enumerate(texts)]
    with Engine(backend) as engine:
        done, failed = [e for e in engine.run(asked) if isinstance(e, RowDone | RowFailed)][::-1]
    assert done.record["born"] == 1900
    assert isinstance(failed.error, PromptTooLongError)


@pytest.fixture
def apart(monkeypatch):
    """A backend with a buffer for each slot, as models have on a CPU that are not tiny."""
    monkeypatch.setattr(llamacpp, "_HEAVY", 0)
    backend = LlamaCppBackend(float_model(), n_threads=1)
    yield backend
    backend.close()


def test_slots_are_apart_where_there_is_memory_for_that(apart):
    usual = {"n_read": 400, "n_written": 60}
    assert apart.best_slots(**usual, n_each=300) == 32
    n_most = apart.max_cached_tokens
    assert apart.best_slots(**usual, n_each=n_most // 8) == 6  # and one is shared
    assert apart.best_slots(**usual, n_each=n_most // 4) < 4
    for n_each, grain in [(None, 1), (n_most // 8, 4), (n_most // 4, 1)]:
        apart.reserve(n_slots=6, n_tokens=1000, n_each=n_each)
        assert apart.grain == grain
    apart.reserve(n_slots=4, n_tokens=1000, n_each=100)  # so few gain nothing
    assert apart.grain == 1


def test_slots_share_a_buffer_where_memory_for_more_has_gone(apart, monkeypatch):
    native = apart._native
    with monkeypatch.context() as patch:
        opened = native.llama_init_from_model
        some = lambda model, params: opened(model, params) if params.kv_unified else None  # noqa: E731
        patch.setattr(native, "llama_init_from_model", some)
        apart.reserve(n_slots=6, n_tokens=100, n_each=20)
    assert apart.grain == 1
    apart.forward([Run(5, [300])])
    apart.reserve(n_slots=6, n_tokens=100, n_each=20)
    assert apart.grain == 4


@pytest.mark.parametrize(
    ("slots", "idle"),
    [({0, 1, 2}, [3]), ({0, 4}, []), ({0, 1, 4, 5, 6}, [2, 3]), ({0, 1, 2, 3}, [])],
)
def test_idle_slots_fill_up_a_call(apart, slots, idle):
    apart.reserve(n_slots=7, n_tokens=100, n_each=20)
    assert [run.slot for run in apart._fillers(slots)] == idle
    for slot in idle:
        apart.forward([Run(slot, [*range(300, 320)])])  # full, and a filler fits all the same
    [before] = forward(apart, [Run(min(slots), [300])])
    apart.trim(min(slots), 1)
    apart.forward([Run(slot, [300]) for slot in slots])
    assert apart._lengths == [0 + (slot in slots) + 20 * (slot in idle) for slot in range(7)]
    apart.trim(min(slots), 1)
    assert np.allclose(forward(apart, [Run(min(slots), [300])])[0], before, atol=1e-2)


def test_rows_that_are_apart_answer_as_they_do_alone(apart):
    """Rows of all lengths: some go back, ask aside what else could be, or come when others end."""
    nested = {"type": "array", "items": {"type": "integer", "maximum": 9}, "uniqueItems": True}
    schema = read_schema(
        {
            "type": "object",
            "properties": {
                "mood": {"enum": ["happy", "calm", "angry"]},
                "digits": nested | {"minItems": 3, "maxItems": 3},
                "urgent": {"type": "boolean"},
            },
            "required": ["mood", "digits", "urgent"],
            "additionalProperties": False,
        }
    )
    texts = [
        "Read this: " + "it rains and the shop is shut. " * (i % 7) + str(i) for i in range(60)
    ]
    asked = [
        Request(row, compose(text, schema), schema, Sampling(0.9, seed=row), max_tokens=60)
        for row, text in enumerate(texts)
    ]
    with Engine(apart) as engine:
        events = [*engine.run(asked)]
        assert apart.grain > 1
        together = {e.row: e.text for e in events if isinstance(e, RowDone)}
    assert len(together) == 60
    with open_engine(float_model(), n_threads=1) as engine:
        done = [e for request in asked for e in engine.run([request]) if isinstance(e, RowDone)]
    n_alike = sum(together[event.row] == event.text for event in done)
    assert n_alike >= 57  # a draw near the edge falls otherwise now and then
    assert any(isinstance(event, StepsUndone) for event in events)


def test_rows_of_a_recurrent_model_go_back_and_share_what_they_can(tmp_path):
    """One row that went back, or began otherwise than those before it, once failed all others."""
    pytest.importorskip("gguf")
    from recurrent_model import write_mamba

    write_mamba(tmp_path / "mamba.gguf")
    digit = {"type": "integer", "minimum": 0, "maximum": 3}
    array = {"type": "array", "items": digit, "minItems": 4, "maxItems": 4, "uniqueItems": True}
    schema = read_schema(array)
    beginnings = ["The price is very high today, as it is on every day: "] * 150 + ["A cat "] * 10
    requests = [
        Request(row, compose(f"{beginning}{row}", schema), schema, Sampling(1.5), max_tokens=40)
        for row, beginning in enumerate(beginnings)
    ]
    with open_engine(tmp_path / "mamba.gguf", n_threads=1) as engine:
        events = [*engine.run(requests)]
    done = [event for event in events if isinstance(event, RowDone)]
    assert len(done) == len(requests)
    assert any(isinstance(event, StepsUndone) for event in events)


def test_what_can_only_be_emptied_is_not_cut(tmp_path):
    pytest.importorskip("gguf")
    from recurrent_model import write_mamba

    write_mamba(tmp_path / "mamba.gguf")
    backend = LlamaCppBackend(tmp_path / "mamba.gguf", n_threads=1)
    backend.reserve(n_slots=1, n_tokens=8)
    backend.forward([Run(0, [65, 66])])
    with pytest.raises(DefectError, match="please report"):
        backend.trim(0, 1)
    backend.close()


def test_a_call_that_fails_is_one_line_that_says_what_to_do(monkeypatch):
    backend = LlamaCppBackend(embedded_path(), n_threads=1)
    backend.reserve(n_slots=1, n_tokens=8)
    native_log()._keep(_GGML_LOG_LEVEL_ERROR, b"init: the tokens\n - have\n - no place\n", None)
    monkeypatch.setattr("llama_cpp.llama_cpp.llama_decode", lambda context, batch: -1)
    with pytest.raises(BackendError, match=r"- have - no place, status -1\); use .*") as error:
        backend.forward([Run(0, [65])])
    assert "\n" not in str(error.value)
    backend.reserve(n_slots=1, n_tokens=8)
    with pytest.raises(BackendError, match="gives no reason"):
        backend.forward([Run(0, [65])])
    backend.close()


def test_a_broken_installation_says_how_to_mend_it():
    code = """
import sys
sys.modules["llama_cpp"] = None
from steer_engine import ModelError, open_engine
try:
    open_engine()
except ModelError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install --force-reinstall" in done.stdout


def test_a_closed_model_is_an_error_and_not_a_crash():
    backend = LlamaCppBackend(embedded_path())
    backend.reserve(n_slots=1, n_tokens=8)
    backend.close()
    for use in (
        lambda: backend.vocabulary.tokenize("x", parse_special=False),
        lambda: backend.reserve(n_slots=1, n_tokens=8),
    ):
        with pytest.raises(BackendError, match="closed; open it again"):
            use()


def test_a_model_that_nobody_holds_gives_its_memory_back():
    backend = LlamaCppBackend(embedded_path())
    backend.reserve(n_slots=1, n_tokens=8)
    owner = weakref.ref(backend._model)
    del backend
    gc.collect()
    assert owner() is None


def test_opening_what_is_not_there_is_a_model_error():
    with pytest.raises(ModelError):
        open_engine("/no/such.gguf")
