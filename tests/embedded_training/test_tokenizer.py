"""The tokenizer that is cut out of another one."""

import pytest

pytest.importorskip("tokenizers")

from embedded_training.tokenizer import SPECIALS, VOCABULARY_SIZE, load_tokenizer, shortened

N_BASE = len(SPECIALS) + 256


def test_only_merges_of_letters_and_a_blank_before_them_are_kept():
    merges = ["Ġ t", "1 2", "h e", "Ġt he", "Ġt h", ". .", "Ġ Ġ", "x1 y", "l l"]
    tokenizer = shortened(merges)
    kept = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)[N_BASE:]
    assert kept == ["Ġt", "he", "Ġthe", "Ġth", "ll"]
    assert tokenizer.encode("ill the 12").tokens == ["i", "ll", "Ġthe", "Ġ", "1", "2"]


def test_the_first_merges_are_kept():
    tokenizer = shortened(["a b", "c d", "e f"], size=N_BASE + 2)
    assert tokenizer.token_to_id("cd") == N_BASE + 1
    assert tokenizer.token_to_id("ef") is None


def test_special_tokens_come_first_and_stand_for_no_text():
    tokenizer = load_tokenizer()
    assert tokenizer.get_vocab_size() == VOCABULARY_SIZE
    assert [tokenizer.id_to_token(i) for i in range(len(SPECIALS))] == list(SPECIALS)
