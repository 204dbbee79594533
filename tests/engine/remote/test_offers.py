"""How forms are put into the words of each kind of server."""

import pytest

from steer_engine import Choices, GbnfGrammar, LarkGrammar, Regex, read_schema
from steer_engine.remote import ways
from steer_engine.remote.offers import kind_of, offers, wrapped_offers

DOCUMENT = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
SCHEMA = read_schema(DOCUMENT)
CLOSED = {**DOCUMENT, "additionalProperties": False}
FORMS = (
    SCHEMA,
    Regex("^a|b$"),
    Choices(("x", 'y"')),
    GbnfGrammar('root ::= "a"'),
    LarkGrammar('start: "a"'),
)


def bodies(way, *, is_strict=False):
    """What a way says of each form; None where it cannot."""
    found = [next(offers(form, way, is_strict=is_strict), None) for form in FORMS]
    return [None if offer is None else offer.body for offer in found]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (ways.json_schema, [
            {"response_format": {"type": "json_schema", "json_schema": {
                "name": "answer", "strict": True, "schema": DOCUMENT}}},
            None, None, None, None,
        ]),
        (ways.json_object, [
            {"response_format": {"type": "json_object", "schema": DOCUMENT}},
            None, None, None, None,
        ]),
        (ways.structured_outputs, [
            {"structured_outputs": {"json": DOCUMENT}},
            {"structured_outputs": {"regex": "a|b"}},
            {"structured_outputs": {"choice": ["x", 'y"']}},
            {"structured_outputs": {"grammar": 'root ::= "a"'}},
            {"structured_outputs": {"grammar": 'start: "a"'}},
        ]),
        (ways.guided, [
            {"guided_json": DOCUMENT},
            {"guided_regex": "a|b"},
            {"guided_choice": ["x", 'y"']},
            {"guided_grammar": 'root ::= "a"'},
            {"guided_grammar": 'start: "a"'},
        ]),
        (ways.sglang, [None, {"regex": "a|b"}, None, {"ebnf": 'root ::= "a"'}, None]),
        (ways.ollama_format, [{"format": DOCUMENT}, None, None, None, None]),
    ],
)  # fmt: skip
def test_ways(way, expected):
    assert bodies(way) == expected


@pytest.mark.parametrize("way", [ways.grammar, ways.grammar_string])
def test_gbnf(way):
    name = way.__name__
    json_schema, pattern, choices, gbnf, lark = bodies(way)
    assert json_schema[name].startswith("root ::=") or "\nroot ::=" in json_schema[name]
    assert choices == {name: r'root ::= "x" | "y\""'}
    assert gbnf == {name: 'root ::= "a"'}
    assert pattern is lark is None


def test_lark_for_llguidance():
    json_schema, *texts = bodies(ways.llguidance)
    assert json_schema is None
    assert all(each["grammar"].startswith("%llguidance {}\n") for each in texts)


def test_a_schema_that_the_converter_to_gbnf_cannot_read_has_no_offer():
    schema = read_schema({"type": "string", "pattern": "no anchors"})
    assert list(offers(schema, ways.grammar, is_strict=False)) == []


def test_a_schema_is_offered_whole_and_then_in_fewer_words():
    schema = read_schema({"properties": {"a": {"type": "string", "minLength": 1}}})
    whole, narrow = offers(schema, ways.ollama_format, is_strict=False)
    assert whole.body["format"]["properties"]["a"] == {"type": "string", "minLength": 1}
    assert narrow.body["format"]["properties"]["a"] == {"type": ["string", "null"]}
    assert whole.read('{"a": null}') == '{"a": null}'
    assert narrow.read('{"a": null}') == "{}"


def test_a_strict_server_gets_the_subset_and_else_is_told_that_it_is_none():
    (offer,) = offers(SCHEMA, ways.json_schema, is_strict=True)
    assert offer.body["response_format"]["json_schema"]["schema"] == CLOSED
    anything = read_schema({"type": "object", "additionalProperties": {"type": "integer"}})
    (offer,) = offers(anything, ways.json_schema, is_strict=True)
    assert offer.body["response_format"]["json_schema"]["strict"] is False


def test_what_is_for_steermagic_alone_is_not_sent():
    schema = read_schema(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "x-steer": {"order": "any"},
            "type": "object",
            "properties": {
                "x-steer": {"type": "string", "x-steer": {"verbatim": True}},
                "$schema": {"type": "string"},
            },
        }
    )
    offer = next(offers(schema, ways.ollama_format, is_strict=False))
    assert offer.body["format"] == {
        "type": "object",
        "properties": {"x-steer": {"type": "string"}, "$schema": {"type": "string"}},
    }
    assert next(offers(read_schema(True), ways.ollama_format, is_strict=False)).body == {
        "format": True
    }


@pytest.mark.parametrize(
    ("pattern", "sent"),
    [("a+", "^a+$"), ("^a+$", "^a+$"), ("a|b", "^(a|b)$"), (r"a\$", r"^a\$$"), (r"\\$", r"^\\$")],
)
def test_a_pattern_in_the_words_of_json_schema(pattern, sent):
    (offer,) = wrapped_offers(Regex(pattern), ways.ollama_format)
    assert offer.body["format"]["properties"]["answer"] == {"type": "string", "pattern": sent}


def test_choices_in_the_words_of_json_schema():
    (offer,) = wrapped_offers(Choices(("a", "b")), ways.ollama_format)
    assert offer.body["format"]["properties"]["answer"]["enum"] == ["a", "b"]
    assert offer.read('{"answer": "b"}') == "b"
    for text in ("b", "[]", '{"answer": 1}'):
        with pytest.raises(ValueError, match=r"no object|Expecting"):
            offer.read(text)


def test_grammars_have_no_words_in_json_schema():
    for grammar in (GbnfGrammar('root ::= "a"'), LarkGrammar('start: "a"')):
        assert list(wrapped_offers(grammar, ways.ollama_format)) == []
    assert list(wrapped_offers(Regex("a"), ways.sglang)) == []


def test_kinds():
    kinds = ["a schema", "a pattern", "choices", "a GBNF grammar", "a Lark grammar"]
    assert [kind_of(form) for form in FORMS] == kinds
