"""References that lead elsewhere, names that documents give themselves, dynamic scope."""

import json

import pytest

from steer_engine.errors import SchemaError
from steer_engine.schema import read_schema, validation_error

TEXT = {"type": "string"}
RESOURCES = {
    "http://x.org/address.json": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {"zip": {"$ref": "#/definitions/zip", "maxLength": 1}},
        "definitions": {"zip": TEXT, "unused": {}},
    },
    "lists": {"items": {"$ref": "http://x.org/address.json"}},
}


def read(document, resources=None):
    return read_schema(document, resources).document


@pytest.mark.parametrize(
    "document",
    [
        {"$ref": "#/$defs/A", "$defs": {"A": {"items": {"$ref": "#"}}}},
        {"$id": "http://x.org/a", "$defs": {"A": {}}, "properties": {"z": {"$ref": "#/$defs/A"}}},
        {"$ref": "#/x-components/A", "x-components": {"A": {"$ref": "#/x-components/B"}, "B": {}}},
        {
            "const": {"$ref": "nowhere", "$id": "a"},
            "enum": [{"$anchor": "b"}],
            "default": {"$id": 1},
        },
        {"properties": {"$ref": TEXT, "$id": TEXT, "$anchor": TEXT, "id": TEXT}},
    ],
)
def test_a_document_without_names_stays_as_it_is_written(document):
    assert read_schema(document).text == json.dumps(document)


def test_names_become_pointers():
    document = {
        "$id": "http://x.org/a",
        "properties": {
            "a": {"$ref": "#name"},
            "b": {"$ref": "inner.json"},
            "c": {"$ref": "inner.json#deep"},
            "d": {"$ref": "http://x.org/a#/$defs/A%2fB"},
        },
        "$defs": {
            "A/B": {"$anchor": "name", **TEXT},
            "E": {"$id": "inner.json", "items": {"$anchor": "deep", "$ref": "#/items/not"}},
        },
    }
    document["$defs"]["E"]["items"]["not"] = {"type": "null"}
    document["$defs"]["A"] = {"B": True}
    assert read(document) == {
        "$id": "http://x.org/a",
        "properties": {
            "a": {"$ref": "#/$defs/A~1B"},
            "b": {"$ref": "#/$defs/E"},
            "c": {"$ref": "#/$defs/E/items"},
            "d": {"$ref": "#/$defs/A/B"},
        },
        "$defs": {
            "A/B": TEXT,
            "E": {"items": {"$ref": "#/$defs/E/items/not", "not": {"type": "null"}}},
            "A": {"B": True},
        },
    }


def test_what_the_caller_supplies_is_copied_in_each_dialect():
    assert read({"$ref": "lists", "$defs": {"zip": {}}}, RESOURCES) == {
        "$ref": "#/$defs/lists",
        "$defs": {
            "zip": {},
            "lists": {"items": {"$ref": "#/$defs/address.json"}},
            "address.json": {"properties": {"zip": {"$ref": "#/$defs/zip_2"}}},
            "zip_2": TEXT,
        },
    }


def test_an_embedded_document_keeps_its_own_dialect():
    old = {
        "$id": "http://x.org/old",
        "$schema": "http://json-schema.org/draft-07/schema#",
        "items": [TEXT],
        "prefixItems": [False],
    }
    assert read({"properties": {"a": old}}) == {"properties": {"a": {"prefixItems": [TEXT]}}}


@pytest.mark.parametrize("uri", ["http://x.org/b.json", "b.json", "urn:example:b"])
def test_nothing_is_ever_fetched(uri, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", pytest.fail)
    with pytest.raises(SchemaError, match=r"leads out of this document; refused: never fetched"):
        read_schema({"items": {"$ref": uri}})


@pytest.mark.parametrize(
    "uri",
    [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ],
)
def test_the_metaschemas_are_at_hand(uri):
    schema = read_schema({"items": {"$ref": uri}})
    assert validation_error(schema, [{"properties": {"a": {"minLength": 1}}}]) is None
    assert "at /0/properties/a/minLength" in validation_error(
        schema, [{"properties": {"a": {"minLength": -1}}}]
    )


TREE = {
    "$id": "http://x.org/tree",
    "$dynamicAnchor": "node",
    "properties": {"children": {"items": {"$dynamicRef": "#node"}}, "data": True},
}


def test_a_dynamic_reference_leads_to_the_outermost():
    strict = {
        "$id": "http://x.org/strict",
        "$dynamicAnchor": "node",
        "$ref": "tree",
        "unevaluatedProperties": False,
    }
    schema = read_schema(strict, {"http://x.org/tree": TREE})
    assert schema.document == {
        "$id": "http://x.org/strict",
        "$ref": "#/$defs/tree",
        "unevaluatedProperties": False,
        "$defs": {"tree": {"properties": {"children": {"items": {"$ref": "#"}}, "data": True}}},
    }
    assert validation_error(schema, {"children": [{"data": 1}]}) is None
    assert validation_error(schema, {"children": [{"daat": 1}]}) is not None


def test_one_schema_may_mean_two_things():
    numbers = {"$id": "http://x.org/n", "$dynamicAnchor": "node", "$ref": "list", "maxItems": 2}
    both = {
        "properties": {"any": {"$ref": "http://x.org/list"}, "few": {"$ref": "http://x.org/n"}},
    }
    lists = {
        "$id": "http://x.org/list",
        "$dynamicAnchor": "node",
        "items": {"$dynamicRef": "#node"},
    }
    schema = read_schema(both, {"n": numbers, "list": lists})
    assert validation_error(schema, {"any": [[[], [], []]]}) is None
    assert "at /few/0" in validation_error(schema, {"few": [[[], [], []]]})
    assert len(schema.document["$defs"]) == 3


def test_a_recursive_reference_leads_to_the_outermost():
    tree = {
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "$id": "http://x.org/tree",
        "$recursiveAnchor": True,
        "properties": {"children": {"items": {"$recursiveRef": "#"}}, "data": True},
    }
    strict = {
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "$recursiveAnchor": True,
        "$ref": "http://x.org/tree",
        "unevaluatedProperties": False,
    }
    schema = read_schema(strict, {"http://x.org/tree": tree})
    assert validation_error(schema, {"children": [{"daat": 1}]}) is not None
    assert validation_error(read_schema(tree), {"children": [{"daat": 1}]}) is None


def test_a_dynamic_reference_beside_a_reference_stays_a_conjunct():
    document = {
        "$dynamicAnchor": "node",
        "properties": {"a": {"$ref": "#/$defs/A", "$dynamicRef": "#node", "allOf": [{}]}},
        "$defs": {"A": TEXT},
    }
    assert read(document)["properties"]["a"] == {"$ref": "#/$defs/A", "allOf": [{}, {"$ref": "#"}]}


def test_scopes_without_number_are_refused(monkeypatch):
    monkeypatch.setattr("steer_engine.schema.bundling._MAX_COPIED", 1000)
    n_steps = 10
    document = {"$id": "http://x/", "$ref": "r0", "$defs": {}}
    for i in range(n_steps):
        for side in "ab":
            document["$defs"][f"{i}{side}"] = {
                "$id": f"{side}{i}",
                "$dynamicAnchor": f"n{i}",
                "$ref": f"r{i + 1}",
            }
        document["$defs"][f"r{i}"] = {
            "$id": f"r{i}",
            "anyOf": [{"$ref": f"a{i}"}, {"$ref": f"b{i}"}],
        }
    last = {f"k{i}": {"$dynamicRef": f"a{i}#n{i}"} for i in range(n_steps)}
    document["$defs"]["end"] = {"$id": f"r{n_steps}", "properties": last}
    with pytest.raises(SchemaError, match="too large once its references are resolved"):
        read_schema(document)


CORE = "https://json-schema.org/draft/2020-12/vocab/"


def custom(**vocabularies):
    return {
        "mine": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$vocabulary": {CORE + name.replace("_", "-"): True for name in vocabularies}
            | {uri: True for uri in vocabularies.values() if uri},
        }
    }


def test_a_dialect_without_validation_leaves_its_keywords_out():
    document = {
        "$schema": "mine",
        "properties": {"a": {"minimum": 1, "format": "date"}, "b": False},
    }
    assert read(document, custom(core=None, applicator=None)) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"a": {}, "b": False},
    }


def test_a_dialect_with_an_unknown_vocabulary_is_refused():
    with pytest.raises(SchemaError, match=r"'http://x\.org/units' is required"):
        read_schema({"$schema": "mine"}, custom(core="http://x.org/units"))


def test_a_dialect_that_is_not_supplied_is_refused():
    with pytest.raises(SchemaError, match="none of the drafts 4 to 2020-12"):
        read_schema({"$schema": "mine"}, {"mine": {"$schema": "other"}})


def test_resources_are_checked_too():
    with pytest.raises(SchemaError, match="a set at /enum is not JSON"):
        read_schema({"$ref": "a"}, {"a": {"enum": set()}})
    with pytest.raises(SchemaError, match=r"unknown type 'strin' at /\$defs/a/type"):
        read_schema({"$ref": "a"}, {"a": {"type": "strin"}})
    with pytest.raises(SchemaError, match=r"\[1\] at /\$defs/a is not a schema"):
        read_schema({"$ref": "a"}, {"a": [1]})


def test_malformed_documents_reach_the_check():
    for document in (
        {"$defs": [], "$ref": "http://json-schema.org/draft-07/schema#"},
        {"$ref": 5, "$dynamicRef": 5, "$id": 5},
        {"properties": {"a": 5, "b": {"$ref": "#/properties/a"}}},
        {"$schema": "http://json-schema.org/draft-04/schema#", "id": 5, "dependencies": 5},
    ):
        with pytest.raises(SchemaError):
            read_schema(document)
