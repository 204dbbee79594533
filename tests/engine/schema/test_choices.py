"""Which values come out of a fixed set."""

import pytest

from steer_engine import read_schema
from steer_engine.schema.choices import MAX_CHOICES, choice_places

MOOD = {"enum": ["good", "bad"]}
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "mood": {"$ref": "#/$defs/mood"},
        "seen": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "known": {"type": ["null", "boolean"]},
        "kind": {"const": "person"},
        "size": {"anyOf": [{"const": "S"}, {"const": "M"}, {"enum": ["M", "L"]}]},
        "either": {"oneOf": [{"const": 1}, {"type": "string"}]},
        "both": {"allOf": [{"enum": ["a", "b", "c"]}, {"enum": ["c", "b"]}], "type": "string"},
        "parts": {"enum": [["a"], "b"]},
        "moods": {"type": "array", "prefixItems": [{"const": 1}], "items": MOOD},
        "friends": {"type": "array", "items": {"$ref": "#"}},
    },
    "additionalProperties": MOOD,
    "$defs": {"mood": MOOD},
}


@pytest.mark.parametrize(
    ("path", "choices"),
    [
        ((), ()),
        (("name",), ()),
        (("mood",), ("good", "bad")),
        (("seen",), (True, False, None)),
        (("known",), (None, True, False)),
        (("kind",), ("person",)),
        (("size",), ("S", "M", "L")),
        (("either",), ()),
        (("both",), ("b", "c")),
        (("parts",), ()),
        (("parts", 0), ()),
        (("moods",), ()),
        (("moods", 0), (1,)),
        (("moods", 7), ("good", "bad")),
        (("another",), ("good", "bad")),
        (("friends", 2, "friends", 0, "mood"), ("good", "bad")),
        (("mood", "x"), ()),
    ],
)
def test_the_set_of_a_place(path, choices):
    assert choice_places(read_schema(PERSON)).at(path) == choices


def test_a_value_that_may_be_one_of_two_objects_has_the_choices_of_both():
    schema = {
        "anyOf": [
            {"properties": {"kind": {"const": "cat"}, "size": {"type": "integer"}}},
            {"properties": {"kind": {"const": "dog"}, "size": {"const": 1}}},
            False,
        ]
    }
    places = choice_places(read_schema(schema))
    assert places.at(("kind",)) == ("cat", "dog")
    assert places.at(("size",)) == ()


def test_equal_numbers_are_one_choice_and_true_is_none():
    places = choice_places(read_schema({"enum": [1, 1.0, True, "1"]}))
    assert [*map(repr, places.at(()))] == ["1", "True", "'1'"]


def test_keys_of_a_pattern_are_free():
    places = choice_places(read_schema({"patternProperties": {"^a": MOOD}}))
    assert places.at(("a",)) == ()
    assert not places.is_empty


def test_a_large_set_is_no_choice():
    for n in (MAX_CHOICES, MAX_CHOICES + 1):
        places = choice_places(read_schema({"enum": [*range(n)]}))
        assert len(places.at(())) == (n if n == MAX_CHOICES else 0)


def test_most_schemas_have_none():
    places = choice_places(read_schema("name: str, n: list[int]"))
    assert places.is_empty
    assert places.at(("name",)) == ()
    assert choice_places(read_schema(True)).is_empty
