"""Ways through a document."""

from steer_engine.schema.document import (
    children,
    map_children,
    place,
    walk,
)

DOCUMENT = {
    "properties": {"a/b": {"items": {"const": {"properties": {"no": {}}}}}, "m~n": True},
    "anyOf": [{"not": {"type": "null"}}, {"enum": [{"items": {}}]}],
    "$defs": {"A": {}},
    "default": {"items": {}},
    "items": "nonsense",
}


def test_walk_goes_where_schemas_stand_and_nowhere_else():
    assert [pointer for pointer, _ in walk(DOCUMENT)] == [
        "",
        "/properties/a~1b",
        "/properties/a~1b/items",
        "/properties/m~0n",
        "/anyOf/0",
        "/anyOf/0/not",
        "/anyOf/1",
        "/$defs/A",
    ]


def test_map_children_copies_and_leaves_other_values_alone():
    changed = map_children(DOCUMENT, lambda child: child is True)
    assert changed["properties"] == {"a/b": False, "m~n": True}
    assert changed["anyOf"] == [False, False]
    assert changed["default"] == DOCUMENT["default"]
    assert DOCUMENT["properties"]["m~n"] is True


def test_booleans_have_no_children():
    assert list(children(True)) == []


def test_places():
    assert place("") == "at the root"
    assert place("/a") == "at /a"
