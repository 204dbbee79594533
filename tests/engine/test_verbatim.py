import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steer_engine import Sampling, UnenforceableError, compose, read_schema
from steer_engine.backends.fake import FakeBackend
from steer_engine.engine import Engine, Request, RowDone
from steer_engine.schema.places import verbatim_places

SOURCE = 'Ask "Ann Lee" <ann@x.io>\nor Bob: naïve 😀, C:\\temp'


def records(wish, notation, *, prompt=SOURCE, temperature=0.0, seeds=range(1)):
    schema = read_schema(notation)
    with Engine(FakeBackend(wish)) as engine:
        for seed in seeds:
            sampling = Sampling(temperature=temperature, seed=seed)
            request = Request(0, compose(prompt, schema), schema, sampling, max_tokens=400)
            yield from (e.record for e in engine.run([request]) if isinstance(e, RowDone))


def test_a_span_of_the_source_is_copied_as_the_model_wants():
    for span in ["Ann Lee", '"Ann Lee" <ann@x.io>\nor', "naïve 😀, C:\\temp", "", SOURCE]:
        wish = json.dumps({"who": span}, ensure_ascii=False)
        assert list(records(wish, "who: verbatim")) == [{"who": span}]


def test_what_is_not_in_the_source_cannot_be_written():
    [record] = records('{"who": "Ann Lewis"}', "who: verbatim")
    assert record["who"] in SOURCE
    assert record["who"].startswith("Ann Le")


def test_an_escape_is_not_torn_apart():
    # The "t" of the backslash-t in the JSON text is not a span of its own.
    [record] = records('{"who": "t\\\\temp"}', "who: verbatim", prompt="a\tC:\\temp")
    assert record["who"] in "a\tC:\\temp"


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1, max_size=40), st.integers(0, 100))
def test_whatever_is_drawn_is_a_span(source, seed):
    notation = "a: verbatim, b: str, c: list[{d: verbatim | None}]"
    drawn = records("", notation, prompt=source, temperature=3.0, seeds=[seed])
    for record in drawn:
        values = [record["a"], *(item["d"] for item in record["c"])]
        prompt = source.encode("utf-8", "replace").decode()
        assert all(value is None or value in prompt for value in values)


def test_a_character_that_json_cannot_spell_ends_a_span():
    [record] = records('{"who": "a"}', "who: verbatim", prompt="a\x1fb")
    assert record == {"who": "a"}


def test_other_strings_are_free():
    [record] = records('{"a": "zzz", "b": "Bob"}', "a: str, b: verbatim")
    assert record == {"a": "zzz", "b": "Bob"}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ("a: dict[str, verbatim]", "/properties/a/additionalProperties"),
        (
            {
                "$defs": {
                    "node": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string", "x-steer": {"verbatim": True}},
                            "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                        },
                    }
                },
                "$ref": "#/$defs/node",
            },
            "/next/next/next",
        ),
    ],
)
def test_a_place_without_a_fixed_path_is_refused_not_forgotten(document, pointer):
    with pytest.raises(UnenforceableError, match="`verbatim` at ") as caught:
        verbatim_places(read_schema(document))
    assert caught.value.pointer == pointer
