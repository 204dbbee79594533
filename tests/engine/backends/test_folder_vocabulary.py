"""A vocabulary is read from tokenizer.json with the bytes that llama.cpp reads from GGUF."""

import json

import pytest

from steer_engine import ModelError
from steer_engine.backends import folder_vocabulary, llamacpp_vocabulary
from steer_engine.backends.folder import ModelFolder

UNKNOWN, CONTROL = 2, 3  # kinds of tokens in GGUF
BYTE_LEVEL = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}
SPACES = [
    {"type": "Prepend", "prepend": "▁"},
    {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
]
BACK = [
    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
    {"type": "ByteFallback"},
    {"type": "Fuse"},
]
BEGINS = {
    "type": "TemplateProcessing",
    "single": [
        {"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
}
TEXTS = [
    "Hello",
    " Hello",
    "a  b\n\n\tc",
    "naïve 😀 漢字",
    '{"a": 1}',
    "x" * 300,
    "<s>hi</s> <|im_end|>",
]


def added(token, content, *, special=True):
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": token, "content": content, "special": special, **flags}


def byte_level(vocab, *, merges=(), added_tokens=()):
    model = {"type": "BPE", "vocab": vocab, "merges": list(merges)}
    return {
        "version": "1.0",
        "added_tokens": list(added_tokens),
        "normalizer": None,
        "pre_tokenizer": BYTE_LEVEL,
        "post_processor": None,
        "decoder": BYTE_LEVEL,
        "model": model,
    }


def sentencepiece(pieces, *, added_tokens=(), post_processor=None):
    return {
        "version": "1.0",
        "added_tokens": list(added_tokens),
        "normalizer": {"type": "Sequence", "normalizers": SPACES},
        "pre_tokenizer": None,
        "post_processor": post_processor,
        "decoder": {"type": "Sequence", "decoders": BACK},
        "model": {"type": "Unigram", "unk_id": 0, "vocab": pieces, "byte_fallback": True},
    }


def read(path, tokenizer, *, vocab_size, config=None, settings=None):
    if tokenizer is not None:
        (path / "tokenizer.json").write_text(json.dumps(tokenizer))
    folder = ModelFolder(path, config or {}, settings or {}, {}, (), None)
    return folder_vocabulary.read_vocabulary(folder, vocab_size=vocab_size)


def sentencepiece_of(path):
    """Return the tokenizer.json of a GGUF vocabulary, and its tokens."""
    gguf = pytest.importorskip("gguf")
    fields = gguf.GGUFReader(path).fields
    tokens, kinds, scores = (
        fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "token_type", "scores")
    )
    others = [
        added(token, tokens[token])
        for token, kind in enumerate(kinds)
        if kind in (UNKNOWN, CONTROL)
    ]
    pieces = [[token, float(score)] for token, score in zip(tokens, scores, strict=True)]
    return sentencepiece(pieces, added_tokens=others, post_processor=BEGINS), tokens


def test_a_sentencepiece_vocabulary_has_the_bytes_that_llama_cpp_reads(shared, tmp_path):
    """What test_gguf_folder.py says of byte-level BPE."""
    file = shared / "vocab" / "ggml-vocab-llama-spm.gguf"
    expected = llamacpp_vocabulary.read_vocabulary(file)
    tokenizer, tokens = sentencepiece_of(file)
    config = {"eos_token_id": expected.eos_id}
    settings = {"bos_token": tokens[expected.bos_id]}
    found = read(tmp_path, tokenizer, vocab_size=len(tokens), config=config, settings=settings)
    assert found.spellings == expected.spellings
    assert found.special_ids <= expected.special_ids
    assert (found.eos_id, found.bos_id) == (expected.eos_id, expected.bos_id)
    assert found.adds_bos
    for text in TEXTS:
        as_text = found.tokenize(text, parse_special=False)
        assert found.spell(as_text) == text.encode()
        assert found.special_ids.isdisjoint(as_text)
        assert found.spell(found.tokenize(text, parse_special=True)) == text.encode()


ASCII = [chr(code) for code in range(33, 127)]
LETTERS = {spelling: token for token, spelling in enumerate([*ASCII, "Ġ", "ÿ", "Ã", "©"])}
N = len(LETTERS)


def test_all_bytes_have_a_spelling(tmp_path):
    """0xff marks control tokens in llguidance, which then spells the byte itself as nothing."""
    tokenizer = byte_level(LETTERS, added_tokens=[added(N, "</s>")])
    found = read(tmp_path, tokenizer, vocab_size=N + 1)
    assert found.spellings[LETTERS["ÿ"]] == b"\xff"
    assert found.spellings[N] == b"</s>"
    assert found.special_ids == {N}
    assert found.tokenize("é", parse_special=False) == [LETTERS["Ã"], LETTERS["©"]]


def test_an_addition_that_looks_like_a_tag_is_a_control_token(tmp_path):
    """Text in a prompt could otherwise speak for the model's tools."""
    extra = [
        added(N, "</s>"),
        added(N + 1, "<call>", special=False),
        added(N + 2, "ab", special=False),
    ]
    found = read(tmp_path, byte_level(LETTERS, added_tokens=extra), vocab_size=N + 3)
    assert found.special_ids == {N, N + 1}
    assert found.tokenize("<call>ab", parse_special=True) == [N + 1, N + 2]
    assert found.tokenize("<call>ab", parse_special=False) == [*map(LETTERS.get, "<call>"), N + 2]


def test_tokens_that_the_tokenizer_does_not_know_are_never_text(tmp_path):
    """Models round the length of their logits up."""
    found = read(tmp_path, byte_level(LETTERS, added_tokens=[added(N, "</s>")]), vocab_size=N + 9)
    assert found.vocab_size == N + 9
    assert found.special_ids == set(range(N, N + 9))
    assert set(found.spellings[N + 1 :]) == {b""}


def test_the_spelling_of_a_control_token_is_text_in_a_unigram_model(tmp_path):
    pieces = [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0], *([c, -5.0] for c in "<s>/hi▁")]
    control = [added(token, pieces[token][0]) for token in range(3)]
    found = read(tmp_path, sentencepiece(pieces, added_tokens=control), vocab_size=len(pieces))
    tokens = found.tokenize("hi<s>", parse_special=False)
    assert found.spell(tokens) == b"hi<s>"
    assert found.special_ids.isdisjoint(tokens)
    assert found.tokenize("hi<s>", parse_special=True)[-1] == 1


@pytest.mark.parametrize(
    ("said", "processor", "adds_bos"),
    [
        (None, BEGINS, True),
        (None, {"type": "Sequence", "processors": [{"type": "ByteLevel"}, BEGINS]}, True),
        (None, None, False),
        (False, BEGINS, False),
        (True, None, True),
    ],
)
def test_the_beginning_token_is_added_where_the_tokenizer_adds_it(
    tmp_path, said, processor, adds_bos
):
    if processor is not None and "processors" in processor:
        processor = {**processor, "processors": [BYTE_LEVEL, BEGINS]}
    pieces = [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0], ["a", -1.0]]
    control = [added(token, pieces[token][0]) for token in range(3)]
    tokenizer = sentencepiece(pieces, added_tokens=control, post_processor=processor)
    settings = {"bos_token": "<s>"} | ({} if said is None else {"add_bos_token": said})
    found = read(tmp_path, tokenizer, vocab_size=4, settings=settings)
    assert (found.bos_id, found.adds_bos) == (1, adds_bos)


def test_the_template_spells_the_end_token_of_the_settings(tmp_path):
    extra = [added(N, "<|endoftext|>"), added(N + 1, "<|done|>")]
    tokenizer = byte_level(LETTERS, added_tokens=extra)
    found = read(tmp_path, tokenizer, vocab_size=N + 2, settings={"eos_token": "<|done|>"})
    assert (found.eos_id, found.eos_ids) == (N + 1, {N, N + 1})


def test_what_cannot_be_read_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(ModelError, match=r"has no tokenizer\.json; write one"):
        read(tmp_path, None, vocab_size=4)
    with pytest.raises(ModelError, match="names no end-of-text token"):
        read(tmp_path, byte_level(LETTERS), vocab_size=N)
    words = {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}
    with pytest.raises(ModelError, match="byte-level BPE and SentencePiece with byte fallback can"):
        read(tmp_path, byte_level({}) | {"model": words, "decoder": None}, vocab_size=1)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        read(tmp_path, None, vocab_size=4)
    for damaged in ({}, [], byte_level(3), byte_level(LETTERS, added_tokens=[{"id": 1}])):
        with pytest.raises(ModelError, match=r"tokenizer\.json has no vocabulary; fetch the file"):
            read(tmp_path, damaged, vocab_size=4)
