"""The guard on the official test suite: complete values, and every prefix of them."""

import json

import pytest

from steer_engine.errors import SchemaError
from steer_engine.guard import Guard, Verdict, Violation
from steer_engine.schema import read_schema

# These are read into plain references by `read_schema`, before the guard sees the document.
_READ_BEFORE = ("$dynamicRef", "$anchor", "$id", "$vocabulary", "dependencies")
# Whether formats and content are asserted is for the caller to say; the guard asserts formats.
_NOT_ASSERTED = {"content.json", "format.json", "format-assertion.json"}


def cases(folder):
    for path in sorted((folder / "tests" / "draft2020-12").rglob("*.json")):
        if path.name in _NOT_ASSERTED:
            continue
        for group in json.loads(path.read_text()):
            if stays_inside(group["schema"]):
                yield group


def stays_inside(schema):
    if isinstance(schema, list):
        return all(map(stays_inside, schema))
    if not isinstance(schema, dict):
        return True
    reference = schema.get("$ref", "#")
    is_inside = not isinstance(reference, str) or reference == "#" or reference.startswith("#/")
    return (
        is_inside
        and not any(keyword in schema for keyword in _READ_BEFORE)
        and all(
            stays_inside(value) for key, value in schema.items() if key not in ("const", "enum")
        )
    )


def spellings(value):
    yield json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    yield json.dumps(value, separators=(",", ":")).encode()


def outcome(state, text):
    """Return what the guard thinks of `text` at the end, having looked at every byte."""
    decided = None
    for position in range(len(text)):
        if state.verdict is Verdict.VALID:
            decided = True
        state = state.advance(text[position : position + 1])
        if isinstance(state, Violation):
            assert decided is None, "what is valid whatever follows has become invalid"
            return False
    return state.finish() is None


def test_every_verdict_and_every_prefix_agree_with_the_suite(shared):
    n_tests, wrong = 0, []
    for group in cases(shared / "json-schema-test-suite"):
        guard = Guard(group["schema"])
        for test in group["tests"]:
            for text in spellings(test["data"]):
                n_tests += 1
                if outcome(guard.start(), text) is not test["valid"]:
                    wrong.append((group["description"], test["description"], text))
    assert wrong == []
    assert n_tests > 2500


def test_a_token_is_refused_where_its_first_offending_byte_is(shared):
    for group in cases(shared / "json-schema-test-suite"):
        guard = Guard(group["schema"])
        for test in group["tests"]:
            text = next(spellings(test["data"]))
            violation = guard.start().advance(text)
            if isinstance(violation, Violation) and violation.n_bytes > 1:
                before = guard.start().advance(text[: violation.n_bytes - 1])
                assert not isinstance(before, Violation)
                assert isinstance(before.advance(text[violation.n_bytes - 1 :]), Violation)


def told(schema, draft):
    """Return `schema` with the draft it is written in."""
    return {"$schema": draft, **schema} if isinstance(schema, dict) else schema


DRAFTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
}


@pytest.mark.parametrize("draft", DRAFTS)
def test_the_older_drafts_too_once_they_are_read(shared, draft):
    n_tests, wrong = 0, []
    for path in sorted((shared / "json-schema-test-suite" / "tests" / draft).glob("*.json")):
        for group in [] if path.name in _NOT_ASSERTED else json.loads(path.read_text()):
            try:
                guard = Guard(read_schema(told(group["schema"], DRAFTS[draft])).document)
            except SchemaError:
                continue  # remote documents, which are not at hand here
            for test in group["tests"]:
                n_tests += 1
                if outcome(guard.start(), next(spellings(test["data"]))) is not test["valid"]:
                    wrong.append((path.name, group["description"], test["description"]))
    assert wrong == []
    assert n_tests > 500
