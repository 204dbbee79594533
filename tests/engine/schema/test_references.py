"""References inside one document."""

from steer_engine.schema.references import inlined, reachable, resolved, target_pointer, value_at


def test_only_pointers_into_the_document_lead_somewhere():
    document = {"$id": "http://x.org/a", "$anchor": "here", "a/b%": {}, "c": 1}
    assert target_pointer(document, "#") == ""
    assert target_pointer(document, "#/a~1b%25") == "/a~1b%"
    for ref in ("#here", "http://x.org/a", "#/c", "#/d", "", "a"):
        assert target_pointer(document, ref) is None


def test_pointers_into_lists():
    assert value_at({"a": [{}, {"b": 1}]}, "/a/1/b") == 1
    assert value_at({"a": [{}]}, "/a/1") is None


def test_only_what_judges_a_value_is_reachable():
    document = {
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}},
        "contentSchema": {"type": "string"},
        "$defs": {"A": {"items": {"$ref": "#"}}, "B": True},
    }
    assert [pointer for pointer, _ in reachable(document)] == [
        "",
        "/properties/a",
        "/properties/b",
        "/$defs/A",
        "/$defs/A/items",
    ]


def test_what_stands_beside_a_reference_wins():
    document = {
        "properties": {
            "a": {"$ref": "#/$defs/A", "description": "here"},
            "b": {"$ref": "#/$defs/B", "description": "here"},
        },
        "$defs": {"A": {"type": "string", "description": "there"}, "B": True},
    }
    assert inlined(document) == {
        "properties": {"a": {"type": "string", "description": "here"}, "b": True}
    }


def test_a_constraint_beside_a_reference_is_not_lost():
    document = {"items": {"$ref": "#/$defs/A", "minimum": 1}, "$defs": {"A": {"minimum": 0}}}
    assert inlined(document) is document


def test_resolving_ends_where_a_schema_names_itself():
    document = {"$ref": "#", "title": "T"}
    assert resolved(document, document) == {"title": "T"}
    assert resolved(document, True) is True
    assert resolved({}, {"allOf": [True, {"title": "T"}]}) == {"title": "T"}


def test_resolving_what_doubles_at_each_step_ends():
    doubled = {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(60)}
    document = {"$ref": "#/$defs/a0", "$defs": {**doubled, "a60": {"type": "string"}}}
    assert resolved(document, document)["type"] == "string"
