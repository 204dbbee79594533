"""The final word on a value."""

import json

import pytest

from steer_engine.errors import SchemaError
from steer_engine.schema import read_schema, validation_error
from steer_engine.schema.formats import ENFORCED

TICKET = read_schema('urgency: "low" | "high", due: date, tags: list[{n: int}]')
VALID = {"urgency": "low", "due": "2024-02-29", "tags": [{"n": 1}]}


def test_a_valid_value():
    assert validation_error(TICKET, VALID) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"urgency": "mid"}, "'mid' is not one of ['low', 'high'] at /urgency"),
        ({"due": "2023-02-29"}, "'2023-02-29' is not a 'date' at /due"),
        ({"tags": [{"n": 1}, {"n": "x"}]}, "'x' is not of type 'integer' at /tags/1/n"),
        ({"more": 1}, "('more' was unexpected) at the root"),
        ({"tags": ["x" * 500]}, "… at /tags/0"),
        ({"tags": [{"n": float("inf")}]}, "a number is too large for JSON"),
    ],
)
def test_the_reason_is_one_line_with_the_place(change, reason):
    error = validation_error(TICKET, VALID | change)
    assert reason in error
    assert "\n" not in error
    assert len(error) < 250


def test_unknown_formats_are_annotations():
    assert validation_error(read_schema({"format": "int32"}), "x") is None
    assert validation_error(read_schema({"format": "date"}), 5) is None


def test_the_official_suite_agrees(shared):
    """But for `format`, which is an assertion here."""
    folder = shared / "json-schema-test-suite/tests/draft2020-12"
    n_tests = 0
    for path in sorted(folder.glob("*.json")):
        for group in json.loads(path.read_text()):
            try:
                schema = read_schema(group["schema"])
            except SchemaError:
                continue  # refused: nothing is enforced wrongly
            if path.stem == "format" and group["schema"]["format"] in ENFORCED:
                continue
            for case in group["tests"]:
                n_tests += 1
                is_valid = validation_error(schema, case["data"]) is None
                assert is_valid == case["valid"], (path.stem, group["description"], case)
    assert n_tests > 1000
