"""The official suite, all drafts, read through `read_schema` and judged by `validation_error`."""

import json

import pytest

from steer_engine.schema import read_schema, validation_error
from steer_engine.schema.document import walk
from steer_engine.schema.references import reachable

DRAFTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}
# By file and the case's description: why we say something else.
EXCEPTIONS = {
    # Formats are asserted here, as the standard allows.
    ("draft2020-12/format.json", "is only an annotation by default"),
    # 2020-12 cannot say what draft 4 says: 1.0 is an integer.
    ("draft4/optional/zeroTerminatedFloats.json", "a float is not an integer even without"),
    # A host name is one of RFC 5890 in every draft.
    ("draft4/optional/format/hostname.json", "consecutive hyphens (RFC1123)"),
    ("draft6/optional/format/hostname.json", "consecutive hyphens (RFC1123)"),
}
NAMES = {"$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"}


@pytest.fixture(scope="module")
def suite(shared):
    return shared / "json-schema-test-suite"


@pytest.fixture(scope="module")
def remotes(suite):
    folder = suite / "remotes"
    return {
        f"http://localhost:1234/{path.relative_to(folder).as_posix()}": json.loads(path.read_text())
        for path in folder.rglob("*.json")
        if path.relative_to(folder).parts[0] not in ("draft3", "v1")
    }


@pytest.fixture(scope="module")
def groups(suite, remotes):
    """Each file's name, schema and cases, by draft."""
    return {draft: list(read_groups(suite, draft, remotes)) for draft in DRAFTS}


def read_groups(suite, draft, remotes):
    for path in sorted((suite / "tests" / draft).rglob("*.json")):
        name = path.relative_to(suite / "tests").as_posix()
        for group in json.loads(path.read_text()):
            schema = group["schema"]
            if isinstance(schema, dict):
                schema = {"$schema": DRAFTS[draft], **schema}
            yield name, read_schema(schema, remotes), group["tests"]


@pytest.mark.parametrize("draft", DRAFTS)
def test_every_verdict_but_the_exceptions(draft, groups):
    n_right, unlike = 0, set()
    for name, schema, cases in groups[draft]:
        for case in cases:
            if (validation_error(schema, case["data"]) is None) == case["valid"]:
                n_right += 1
            else:
                unlike.add((name, case["description"]))
    assert n_right > 800
    expected = {each for each in EXCEPTIONS if each[0].startswith(f"{draft}/")}
    for name, description in unlike:
        assert any(name == file and words in description for file, words in expected)
    for file, words in expected:
        assert any(name == file and words in description for name, description in unlike)


@pytest.mark.parametrize("draft", DRAFTS)
def test_every_reference_is_a_pointer_into_the_document(draft, groups):
    for _, schema, _ in groups[draft]:
        read = schema.document
        for pointer, each in [*walk(read), *reachable(read)]:
            if isinstance(each, bool):
                continue
            ref = each.get("$ref", "#")
            assert ref == "#" or ref.startswith("#/")
            assert not NAMES & each.keys()
            assert "$id" not in each or not pointer


def test_reading_twice_changes_nothing(groups):
    for _, schema, _ in groups["draft2020-12"]:
        assert read_schema(schema.document) == schema
