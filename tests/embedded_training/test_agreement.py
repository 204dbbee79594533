"""One model file means the same to llama.cpp, PyTorch and transformers."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("gguf")
pytest.importorskip("safetensors")
pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

from embedded_training.agreement import compare, prompt_of_length, shape_of
from requantized import float_model


@pytest.mark.filterwarnings("ignore")  # transformers' own
def test_the_logits_agree_at_each_place_of_a_full_context():
    """At full length a wrong rotary base or order of channels shows most."""
    path = float_model()
    assert shape_of(path).max_tokens == 2048
    found = compare(path, prompt_of_length(path, 2048))
    for other in ("transformers", "llama.cpp"):
        assert found.mean[other] < 1e-5 * found.largest_logit
        assert found.largest[other] < 1e-3 * found.largest_logit
    # The engine keeps keys and values in half precision: now and then a logit is far off.
    assert found.mean["engine"] < 2e-3 * found.largest_logit
    assert found.same_choice > 0.98
