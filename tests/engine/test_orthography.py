"""Numbers that no row can have, escapes that none may have: and that no row comes to have one."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import Engine, Request, RowDone, UnenforceableError, read_schema
from steer_engine.backends.fake import FakeBackend
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask, allows
from steer_engine.orthography import MAX_DIGITS, Orthography, first_fault, is_too_large
from steer_engine.prompting import Message
from steer_engine.schema import lowering
from steer_engine.vocabulary import Vocabulary

BACKEND = FakeBackend()
VOCABULARY = BACKEND.vocabulary
COMPILER = GrammarCompiler(VOCABULARY)
LARGE = ["1e309", "1e999", "-1E+400", "1.8e308", "123.4e0999", "0.001e312", "1" * 310 + ".5"]
SOUND = ["1e308", "-1.7E+308", "0e999", "1e-999", "1e00000300", "0.001e311", "0." + "0" * 400 + "1"]
CLOSED = "a: float, b: str"


@pytest.mark.parametrize("number", SOUND)
def test_what_can_be_read_can_be_written(walk, number):
    assert walk(True, number).text == number
    assert json.loads(number) not in (math.inf, -math.inf)


@pytest.mark.parametrize("schema", [True, {"type": "number"}, {"type": "object"}])
@pytest.mark.parametrize("number", LARGE)
def test_a_number_too_large_for_a_float_is_refused_where_nothing_can_save_it(walk, schema, number):
    before = '{"a": ' if schema == {"type": "object"} else ""
    kept = walk(schema, before + number).text.removeprefix(before)
    assert number.startswith(kept)
    assert len(kept) < len(number)
    assert not is_too_large(kept.encode())
    assert is_too_large(number[: len(kept) + 1].encode())


def test_an_integer_is_as_long_as_python_reads_one(walk):
    assert not is_too_large(b"-" + b"7" * MAX_DIGITS)
    assert is_too_large(b"-" + b"7" * (MAX_DIGITS + 1))
    assert walk({"type": "integer"}, "7" * (MAX_DIGITS + 50)).text == "7" * MAX_DIGITS


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
)
def test_of_a_number_that_can_be_read_no_beginning_is_too_large(number):
    too_large = [is_too_large(number[:end].encode()) for end in range(1, len(number) + 1)]
    assert too_large[-1] == math.isinf(float(number))
    assert too_large == sorted(too_large)  # once it is, it stays so


@pytest.mark.parametrize("text", [r'"1e999"', r'["\"", "a\"1e999"]', '{"1e999": 1}', '"1e9990'])
def test_what_looks_like_a_number_inside_a_string_is_none(walk, text):
    assert first_fault(text.encode(), 0) is None
    assert walk(True, text).text == text


def test_the_fault_is_the_first_byte_that_is_too_much():
    text = b'{"a": "1e999", "b": [1, 1e999, 2]}'
    assert first_fault(text, 0) == text.rindex(b"1e999") + 4
    assert first_fault(b"[1e308, 1]", 0) is None


def test_a_token_is_refused_with_those_that_begin_like_it():
    spellings = (b"1", b"e", b"30", b"9", b"99", b"999", b"9, ", b"1e5000", b"[", b"00", b"<end>")
    vocabulary = Vocabulary(
        spellings,
        frozenset({10}),
        frozenset({10}),
        10,
        tokenize_bytes=lambda text, *, parse_special: [],
    )
    rules = Orthography(vocabulary)
    ids = {spelling: token for token, spelling in enumerate(spellings)}
    one = [ids[b"1"], ids[b"e"]]
    assert rules.number_fault(one, ids[b"99"]) == b""
    assert rules.number_fault(one, ids[b"999"]) == b"999"
    assert rules.number_fault([*one, ids[b"99"]], ids[b"9, "]) == b"9"
    assert rules.number_fault([*one, ids[b"30"]], ids[b"9"]) == b"9"
    assert rules.number_fault([*one, ids[b"30"]], ids[b"00"]) == b"00"
    assert rules.number_fault([ids[b"["]], ids[b"1e5000"]) == b"1e500"
    assert rules.number_fault([], ids[b"1e5000"]) == b"1e500"
    assert {ids[b"["], 10}.isdisjoint(rules.of_numbers)


def test_going_back_forgets_what_was_refused():
    matcher = COMPILER.compile(read_schema(CLOSED)).matcher()
    mask = allocate_mask(VOCABULARY.vocab_size)
    for token in VOCABULARY.tokenize('{"a": 1e30', parse_special=False):
        assert matcher.accept(token)
    nine, eight = ord("9"), ord("8")
    assert not matcher.accept(nine)
    assert matcher.refusal == "the number is too large"
    twin = matcher.copy()
    matcher.rollback(1)
    assert matcher.accept(nine)  # 1e39
    assert matcher.accept(eight) is False  # 1e398
    twin.fill_mask(mask)
    assert not allows(mask, nine)
    assert allows(mask, eight)
    assert twin.accept(eight)


@pytest.mark.parametrize("schema", [CLOSED, True, {"type": "object", "required": ["a"]}])
def test_a_model_that_wants_such_a_number_writes_another(schema):
    request = Request(0, (Message("user", "?"),), read_schema(schema), max_tokens=200)
    with Engine(FakeBackend('{"a": 1e999, "b": "x"}')) as engine:
        [done] = [event for event in engine.run([request]) if isinstance(event, RowDone)]
    assert math.isfinite(done.record["a"])
    assert done.record["a"] >= 1e99


def spelled(text):
    """Return `text` as JSON in the one way that rows spell it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@given(st.lists(st.text(st.characters(max_codepoint=0x7F, exclude_characters="\0")), max_size=4))
def test_listed_texts_are_written_whatever_characters_they_have(walk, texts):
    schema = {"enum": [*texts, "\x1f"]}
    assert [walk(schema, spelled(text)).text for text in texts] == [*map(spelled, texts)]
    assert [*map(lowering.spelled, texts)] == [*map(spelled, texts)]


@given(st.floats(-(2.0**53), 2.0**53) | st.integers(-(2**53), 2**53))
def test_listed_numbers_are_written_digit_by_digit(walk, number):
    text = lowering.spelled(number)
    assert json.loads(text) == number
    assert walk({"enum": [number]}, text) == (text, True)


def test_a_number_that_the_mask_compiler_misreads_is_written_as_it_is_listed(walk):
    """It takes 6.0686557652131035e-68 for the float before it."""
    number = 6.0686557652131035e-68
    text = lowering.spelled(number)
    assert walk({"const": number}, text) == (text, True)
    before = lowering.spelled(math.nextafter(number, 0))
    assert not walk({"const": number}, before).is_complete


def test_a_bound_that_the_mask_compiler_misreads_is_where_it_is(walk):
    text = "64966448.907436356"
    assert walk({"minimum": 64966448.907436356}, text) == (text, True)
    assert not walk({"exclusiveMinimum": 64966448.907436356}, text).is_complete


ASKS = {"properties": {"a": {"const": "\x01"}, "b": {"type": "string"}, "n\n": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string", "pattern": r"^\cC$"}, r'"\u0003"'),
        ({"type": "string", "pattern": r"^[\x0e\x7f]+$"}, r'"\u007f\u000e"'),
        ({"propertyNames": {"enum": ["\x02"]}}, r'{"\u0002": 1}'),
        ({"patternProperties": {"^\x02": {"type": "null"}}}, r'{"\u0002x": null}'),
        (ASKS, r'{"a": "\u0001", "b": "\u0002\\u0061", "\u0003": ["\u001f"]}'),
    ],
)
def test_control_characters_are_written_where_the_schema_asks_for_one(walk, schema, text):
    assert walk(schema, text).text == text
    assert COMPILER.compile(read_schema(schema)).matcher().refusal == ""


@pytest.mark.parametrize(
    ("schema", "text", "kept"),
    [
        ({"type": "string"}, r'"\u0001"', '"\\'),
        ({"type": "string", "pattern": r"^\s$"}, r'"\u000b"', '"\\'),
        ({"enum": ["\x1f"]}, r'"\u001F"', r'"\u001'),
        (ASKS, r'{"b": "\u000a', r'{"b": "\u000'),
        (ASKS, r'{"b": "\u0000', r'{"b": "\u000'),
        (ASKS, r'{"b": "\u00e9', r'{"b": "\u00'),
        (ASKS, r'{"n\u000a": 1', r'{"n\u000'),
        (ASKS, r'{"\u0061": 1', r'{"\u00'),
        (ASKS, r'{"\ud83d\ude00": 1', r'{"\u'),
    ],
)
def test_no_character_has_two_spellings(walk, schema, text, kept):
    assert walk(schema, text).text == kept


def test_a_listed_key_is_judged_in_both_spellings_of_the_one_character_that_has_two(walk):
    schema = {"properties": {"\x7f": {"const": "\x01"}}}
    for key in ("\x7f", r"\u007f"):
        assert walk(schema, f'{{"{key}": 1}}').text == f'{{"{key}": '


@pytest.mark.parametrize("document", [{"const": "\0"}, {"enum": [{"\0": 1}]}])
def test_nul_is_refused_with_the_reason(document):
    with pytest.raises(UnenforceableError, match=r"a text with U\+0000 is not written"):
        COMPILER.compile(read_schema(document))


def test_a_row_with_control_characters_is_read_and_closed():
    schema = read_schema({"type": "array", "items": {"enum": ["\x01\x1b"]}, "minItems": 3})
    request = Request(0, (Message("user", "?"),), schema, max_tokens=60)
    for wish in (r'["\u0001\u001B", "\u0001\u001b", "x"]', "[" + r'"\u0001\u001b", ' * 9):
        with Engine(FakeBackend(wish)) as engine:
            [done] = [event for event in engine.run([request]) if isinstance(event, RowDone)]
        assert set(done.record) == {"\x01\x1b"}


def test_what_is_written_stays_writable_when_the_schema_is_said_anew():
    """The narrower schema asks for no control character any more; the text has one."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"enum": ["\x01", 1]}, "c": {"type": "null"}},
        "if": {"properties": {"a": {"pattern": "^(?=..)"}}},
        "then": {"required": ["c"], "properties": {"b": {"const": 1}}},
        "additionalProperties": False,
    }
    matcher = COMPILER.compile(read_schema(schema)).matcher()
    for token in VOCABULARY.tokenize(r'{"a": "\u0002x", "b": 1', parse_special=False):
        assert matcher.accept(token)
    assert not matcher.accept(ord("}"))
    assert matcher.examine() == 0
    for token in VOCABULARY.tokenize(', "c": null}', parse_special=False):
        assert matcher.accept(token)
    assert matcher.is_accepting
