"""What every backend promises; see `steer_engine.backends.Backend`."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from forwards import forward
from requantized import float_model
from steer_engine.backends import Run, llamacpp
from steer_engine.backends.fake import FakeBackend
from steer_engine.backends.llamacpp import open_llamacpp as open_llamacpp_file
from steer_engine.backends.opening import open_backend
from steer_engine.errors import DefectError
from steer_engine.models import embedded_path


def open_fake():
    return FakeBackend()


def open_llamacpp():
    return open_llamacpp_file(float_model(), n_threads=1)


def open_llamacpp_apart():
    """With a buffer for each slot, as models are run on a CPU that are not tiny."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llamacpp, "_HEAVY", 0)
        backend = open_llamacpp()
        backend.reserve(n_slots=6, n_tokens=60, n_each=10)
    assert backend.grain > 1
    return backend


def open_llamacpp_recurrent():
    pytest.importorskip("gguf")
    from recurrent_model import write_mamba

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mamba.gguf"
        write_mamba(path)
        return open_llamacpp_file(path, n_threads=1)


def open_mlx():
    pytest.importorskip("mlx_lm", reason="mlx-lm is not installed")
    pytest.importorskip("gguf")
    return open_backend(embedded_path(), "mlx", embedded=True)


def open_mlx_row_by_row():
    """As models are run whose caches cannot be cut."""
    pytest.importorskip("mlx_lm", reason="mlx-lm is not installed")
    from steer_engine.backends import mlxlm

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mlxlm, "_slots", lambda model, output: None)
        return open_mlx()


def open_transformers():
    pytest.importorskip("torch", reason="torch is not installed; CONTRIBUTING.md has how to")
    pytest.importorskip("transformers")
    return open_backend(embedded_path(), "transformers", embedded=True, n_threads=1)


def open_transformers_row_by_row():
    pytest.importorskip("torch", reason="torch is not installed; CONTRIBUTING.md has how to")
    from steer_engine.backends import torchlm

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torchlm, "_slots", lambda model: None)
        return open_transformers()


BACKENDS = [
    open_fake,
    open_llamacpp,
    open_llamacpp_apart,
    open_llamacpp_recurrent,
    open_mlx,
    open_mlx_row_by_row,
    open_transformers,
    open_transformers_row_by_row,
]


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request):
    backend = request.param()
    yield backend
    backend.close()


@pytest.fixture
def tokens(backend):
    backend.reserve(n_slots=6, n_tokens=768, n_each=128)
    return backend.vocabulary.tokenize(
        "Maria paid 12.50 in Lisbon, said héllo.", parse_special=False
    )


def same(left, right):
    """Logits of one position, computed in batches of other shapes."""
    return np.allclose(left, right, atol=1e-2)


def test_spellings_of_a_tokenised_text_join_to_the_text(backend):
    for text in ["plain", " leading space", "two\n\nlines\t", "naïve 😀 漢字", '{"a": [1, "b"]}']:
        tokens = backend.vocabulary.tokenize(text, parse_special=False)
        assert backend.vocabulary.spell(tokens) == text.encode()


def test_control_tokens_are_text_unless_asked_for(backend):
    vocabulary = backend.vocabulary
    spelling = vocabulary.spellings[min(vocabulary.eos_ids)].decode()
    as_text = vocabulary.tokenize(spelling, parse_special=False)
    assert not vocabulary.special_ids & set(as_text)
    assert vocabulary.tokenize(spelling, parse_special=True) == [min(vocabulary.eos_ids)]


def test_end_tokens_are_special(backend):
    assert backend.vocabulary.eos_ids
    assert backend.vocabulary.eos_ids <= backend.vocabulary.special_ids


def test_forward_returns_the_logits_that_were_asked_for(backend, tokens):
    [all_logits] = forward(backend, [Run(0, tokens, n_logits=len(tokens))])
    [last, none] = forward(backend, [Run(1, tokens), Run(2, tokens, n_logits=0)])
    assert all_logits.shape == (len(tokens), backend.vocabulary.vocab_size)
    assert all_logits.dtype == np.float32
    assert none.shape == (0, backend.vocabulary.vocab_size)
    assert same(last[0], all_logits[-1])


def test_forward_in_pieces_equals_forward_at_once(backend, tokens):
    [at_once] = forward(backend, [Run(0, tokens)])
    for token in tokens[:-1]:
        forward(backend, [Run(1, [token], n_logits=0)])
    [in_pieces] = forward(backend, [Run(1, tokens[-1:])])
    assert same(at_once[0], in_pieces[0])


def test_slots_do_not_see_each_other(backend, tokens):
    [alone] = forward(backend, [Run(0, tokens)])
    backend.reserve(n_slots=6, n_tokens=768, n_each=128)
    forward(backend, [Run(1, tokens[::-1], n_logits=0)])
    [beside, _] = forward(backend, [Run(0, tokens), Run(2, tokens[:3])])
    assert same(alone[0], beside[0])


def test_runs_of_one_call_may_have_any_order_and_length(backend, tokens):
    """Rows of one call once got each other's logits."""
    parts = [tokens[:8], tokens[3:4], tokens[2:11]]
    for slot in (0, 1, 2):
        forward(backend, [Run(slot, tokens[: slot + 1], n_logits=0)])
    alone = []
    for slot, part in enumerate(parts):
        alone += forward(backend, [Run(slot, part, n_logits=len(part))])
        backend.trim(slot, len(part))
    together = forward(backend, [Run(slot, parts[slot], len(parts[slot])) for slot in (2, 0, 1)])
    for slot, logits in zip((2, 0, 1), together, strict=True):
        assert same(alone[slot], logits)


def test_trim_undoes_forward(backend, tokens):
    [before] = forward(backend, [Run(0, tokens)])
    backend.trim(0, 1)
    forward(backend, [Run(0, tokens[:5])])
    backend.trim(0, 5)
    backend.trim(0, 0)
    [after] = forward(backend, [Run(0, tokens[-1:])])
    assert same(before[0], after[0])


def test_a_fork_continues_like_its_source(backend, tokens):
    forward(backend, [Run(0, tokens, n_logits=0), Run(1, tokens[:2], n_logits=0)])
    backend.fork(0, 1, 4)
    [source] = forward(backend, [Run(2, [*tokens[:4], *tokens[:3]])])
    [forked] = forward(backend, [Run(1, tokens[:3])])
    assert same(source[0], forked[0])


def test_reserve_empties_every_slot(backend, tokens):
    [first] = forward(backend, [Run(0, tokens)])
    for n_tokens in [128, 64, 500]:
        backend.reserve(n_slots=6, n_tokens=6 * n_tokens, n_each=n_tokens)
        [again] = forward(backend, [Run(0, tokens)])
        assert same(first[0], again[0])


def test_a_run_longer_than_the_native_batch_is_computed(backend):
    tokens = backend.vocabulary.tokenize("many words " * 400, parse_special=False)[:600]
    backend.reserve(n_slots=1, n_tokens=600)
    [logits] = forward(backend, [Run(0, tokens, n_logits=100)])
    assert np.isfinite(logits).all()


def test_a_row_has_no_more_tokens_than_the_context(backend):
    assert 0 < backend.max_row_tokens <= backend.info.context_length


def test_a_slot_refuses_more_than_was_reserved(backend):
    backend.reserve(n_slots=1, n_tokens=4)
    with pytest.raises(DefectError, match=r"at most 4 tokens; please report"):
        forward(backend, [Run(0, [65] * 5)])


@pytest.mark.parametrize("open_it", BACKENDS)
def test_close_can_be_called_twice(open_it):
    backend = open_it()
    backend.close()
    backend.close()
