"""From examples to tokens and weights."""

import json

import pytest

from embedded_training.asking import Example
from embedded_training.corpus import example
from embedded_training.schemas import Field, object_schema

pytest.importorskip("tokenizers")

from embedded_training.layout import (
    CHOICE,
    FORCED,
    NOT_NULL,
    NULL,
    ONE_MORE_OR_NOT,
    answer_pieces,
    lay_out,
)
from embedded_training.tokenizer import END, SYSTEM, USER, load_tokenizer, make_encoder


@pytest.fixture(scope="module")
def encode():
    return make_encoder(load_tokenizer())


def weight_of(pieces, text):
    return [piece.weight for piece in pieces if piece.text == text]


def test_the_pieces_make_up_the_answer():
    for i in range(80):
        item = example(f"layout {i}")
        text = "".join(piece.text for piece in answer_pieces(item.answer, item.schema))
        assert text == json.dumps(item.answer, ensure_ascii=False)


def test_tokens_and_weights_go_together(encode):
    tokens = lay_out(example("layout"), encode)
    assert len(tokens.ids) == len(tokens.weights) == len(tokens.pieces)
    assert tokens.ids[0] == SYSTEM
    assert USER in tokens.ids
    assert tokens.ids[-1] == END
    assert not any(tokens.weights[: tokens.n_prompt])


def test_where_a_number_ends_counts():
    schema = object_schema((Field("n", "int"), Field("t", "str")))
    pieces = answer_pieces({"n": 12, "t": "x"}, schema)
    assert weight_of(pieces, ",") == [CHOICE]
    assert weight_of(answer_pieces({"t": "x"}, object_schema((Field("t", "str"),))), "}") == [
        FORCED
    ]


def test_null_or_not_counts():
    schema = object_schema((Field("t", "str", nullable=True),))
    assert weight_of(answer_pieces({"t": None}, schema), " null") == [NULL]
    # A token may be the blank and `null`, so the blank alone says that there is a value.
    pieces = answer_pieces({"t": "x"}, schema)
    assert weight_of(pieces, " ") == [NOT_NULL]
    assert weight_of(pieces, '"') == [FORCED, CHOICE]


@pytest.mark.parametrize(
    ("kind", "value", "weight_of_null"), [("str", "x", 2), ("int", 1, 2), ("bool", True, 1)]
)
def test_null_weighs_twice_as_much_as_a_text_or_a_number(encode, kind, value, weight_of_null):
    schema = object_schema((Field("t", kind, nullable=True),))
    weights = []
    for answer in (value, None):
        tokens = lay_out(Example("x", schema, {"t": answer}), encode)
        weights.append(next(weight for weight in tokens.weights if weight > FORCED))
    assert weights[1] == weight_of_null * weights[0] > CHOICE


def test_one_more_row_or_not_counts():
    schema = {"type": "array", "items": object_schema((Field("t", "str"),))}
    pieces = answer_pieces([{"t": "x"}, {"t": "y"}], schema)
    assert [piece.text for piece in pieces if piece.kind == "length"] == [",", "]"]


def test_one_more_row_or_not_weighs_the_same_either_way(encode):
    schema = {"type": "array", "items": object_schema((Field("n", "int"),))}
    tokens = lay_out(Example("x", schema, [{"n": 5}, {"n": 7}]), encode)
    decisive = {
        piece.text: weight
        for piece, weight in zip(tokens.pieces, tokens.weights, strict=True)
        if piece and (piece.kind == "length" or (piece.text == "{" and weight > FORCED))
    }
    assert decisive == {"{": ONE_MORE_OR_NOT, ",": ONE_MORE_OR_NOT, "]": ONE_MORE_OR_NOT}


def test_a_first_row_or_none_counts():
    schema = {"type": "array", "items": object_schema((Field("t", "str"),))}
    assert weight_of(answer_pieces([{"t": "x"}], schema), "{") == [CHOICE]
    assert weight_of(answer_pieces([], schema), "]") == [CHOICE]


def test_an_object_or_null_counts():
    schema = object_schema((Field("o", "object", fields=(Field("t", "str"),), nullable=True),))
    pieces = answer_pieces({"o": {"t": "x"}}, schema)
    assert weight_of(pieces, " ") == [NOT_NULL, FORCED]
    assert weight_of(answer_pieces({"o": None}, schema), " null") == [NULL]


def test_the_keys_of_free_objects_count():
    schema = object_schema((Field("d", "dict", members="int"),))
    pieces = answer_pieces({"d": {"a": 1, "b": 2}}, schema)
    assert "".join(piece.text for piece in pieces) == '{"d": {"a": 1, "b": 2}}'
    assert weight_of(pieces, "a") == weight_of(pieces, "b") == [CHOICE]


@pytest.mark.parametrize(
    "text",
    ["don't 'sun'", "café naïve", "a\r\nb  c", "€1.299,50", "日本 👍🏽", "x2y #tag @me", "İß"],
)
def test_word_by_word_encoding_equals_the_tokenizer(encode, text):
    assert encode(text) == load_tokenizer().encode(text, add_special_tokens=False).ids


def test_a_word_has_the_same_tokens_behind_any_sign_but_a_blank(encode):
    alone = encode("Kovalenko")
    for text in ("-Kovalenko", '"Kovalenko"', "@Kovalenko_1", "\nKovalenko,"):
        ids = encode(text)
        assert any(ids[i : i + len(alone)] == alone for i in range(len(ids)))


def test_the_tokens_of_the_pieces_are_those_of_the_answer(encode):
    for i in range(80):
        item = example(f"layout {i}")
        pieces = answer_pieces(item.answer, item.schema)
        tokens = [token for piece in pieces for token in encode(piece.text)]
        assert tokens == encode(json.dumps(item.answer, ensure_ascii=False))
