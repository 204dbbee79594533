"""What is left of a schema once a beginning is written."""

import itertools
import json

import pytest
from jsonschema import Draft202012Validator

from steer_engine.guard import Guard, Specialiser, Violation, specialised


def left(document, text, *, closing=None):
    """Return the residual of `document` after `text`."""
    state = Guard(document).start().advance(text.encode())
    assert not isinstance(state, Violation)
    return specialised(document, state.value, closing=closing)


def test_a_document_in_which_nothing_is_decided_is_the_very_same():
    document = {"properties": {"a": {"anyOf": [{"minimum": 3}, {"type": "string"}]}}}
    for text in ("", "{", '{"a', '{"a": "x', '{"a": 4, "b": [', '{"a": 4}', "[1, 2"):
        assert left(document, text) is document


@pytest.mark.parametrize(
    "items", [{"enum": [5, 6, 7]}, {"type": "integer", "minimum": 5, "maximum": 7}]
)
def test_a_list_of_few_values_has_those_left_that_are_not_written(items):
    residual = left({"type": "array", "items": items, "uniqueItems": True}, "[6, 5, 5")
    assert residual["prefixItems"] == [True, True]
    assert residual["items"] == {"allOf": [items, {"enum": [7]}]}


@pytest.mark.parametrize(
    "items", [{"enum": list(range(65))}, {"type": "integer", "minimum": 0, "maximum": 64}]
)
def test_of_many_values_it_is_not_said_which_are_left(items):
    document = {"type": "array", "items": items, "uniqueItems": True}
    assert "prefixItems" not in left(document, "[6, 5, 5")


CARD = {
    "type": "object",
    "properties": {"kind": {"enum": ["card", "cash"]}, "number": {}, "till": {}},
    "if": {"properties": {"kind": {"const": "card"}}, "required": ["kind"]},
    "then": {"required": ["number"]},
    "else": {"required": ["till"]},
}


def test_a_condition_that_is_decided_becomes_the_way_it_has_gone():
    residual = left(CARD, '{"kind": "card"')
    assert residual == {
        "type": "object",
        "properties": {"kind": {"enum": ["card", "cash"]}, "number": {}, "till": {}},
        "required": ["number"],
    }
    assert left(CARD, '{"kind": "cash", ')["required"] == ["till"]


def test_a_way_that_is_closed_decides_the_condition():
    document = {"if": {"required": ["a"]}, "then": {"properties": {"b": {"type": "null"}}}}
    residual = left(document, '{"b": 1, ')
    assert residual["allOf"] == [{"not": {"required": ["a"]}}]


def test_what_is_written_comes_first_and_an_obligation_after_it():
    residual = left(CARD, '{"till": 1, "kind": "card", ')
    assert list(residual["properties"]) == ["till", "kind", "number"]
    assert residual["required"] == ["number"]
    assert "number" in residual["properties"]


def test_a_property_whose_turn_is_past_is_forbidden_only_if_nothing_can_ask_for_it():
    properties = {"a": {}, "b": {}, "c": {}, "d": {}}
    document = {"properties": properties, "dependentRequired": {"c": ["a"], "d": ["b"]}}
    assert left(document, '{"c": 1')["properties"] == {"c": {}, "a": {}, "b": {}, "d": {}}
    free = {"properties": properties, "dependentRequired": {"c": ["a"]}}
    assert left(free, '{"c": 1')["properties"] == {"c": {}, "a": {}, "b": False, "d": {}}


def test_a_property_of_which_nothing_is_declared_is_listed_with_what_it_has_to_satisfy():
    document = {
        "properties": {"a": {}},
        "patternProperties": {"^n": {"type": "number"}},
        "additionalProperties": {"type": "string"},
        "dependentRequired": {"x": ["a"]},
    }
    residual = left(document, '{"n1": 1, "x": "2", ')
    assert residual["properties"] == {"n1": True, "x": {"type": "string"}, "a": {}}
    assert residual["required"] == ["a"]


def test_dead_branches_are_gone_and_the_last_one_is_said_plainly():
    branch = [{"properties": {"t": {"const": i}}, "required": ["t", f"f{i}"]} for i in range(3)]
    for keyword in ("anyOf", "oneOf"):
        residual = left({keyword: branch}, '{"t": 1, ')
        assert residual["allOf"] == [branch[1]]
        assert keyword not in residual
    residual = left({"anyOf": [*branch, {"required": ["x"]}]}, '{"t": 1, ')
    assert len(residual["anyOf"]) == 2


def test_the_others_of_a_one_of_are_denied_when_one_holds():
    residual = left({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, '{"a": 1, ')
    assert residual == {"properties": {"a": True}, "allOf": [{"not": {"required": ["b"]}}]}


def test_of_a_not_only_the_undecided_is_left():
    document = {"not": {"properties": {"k": {"const": 1}}, "required": ["k", "b"]}}
    assert left(document, '{"k": 1, ')["not"] == {"required": ["b"]}
    assert "not" not in left(document, '{"k": 2, ')


def test_dependencies_that_are_triggered_are_required():
    document = {
        "dependentRequired": {"a": ["b"], "x": ["y"]},
        "dependentSchemas": {
            "a": {"properties": {"c": {"type": "null"}}},
            "z": {"maxProperties": 0},
        },
    }
    residual = left(document, '{"a": 1, ')
    assert residual["required"] == ["b"]
    assert residual["dependentRequired"] == {"x": ["y"]}
    assert {"properties": {"c": {"type": "null"}}} in residual["allOf"]
    assert {"properties": {"z": False}} in residual["allOf"]  # the object is not empty


def test_items_that_must_match_are_asked_for_when_no_room_is_left_for_others():
    document = {"items": {"type": "integer"}, "contains": {"const": 5}, "maxItems": 3}
    assert left(document, "[1, ") is document
    residual = left(document, "[1, 2, ")
    assert residual["prefixItems"] == [True, True, {"allOf": [{"type": "integer"}, {"const": 5}]}]
    assert residual["minItems"] == 3
    assert left(document, "[1, 5, ") is document


def test_what_is_missing_is_asked_for_when_the_end_has_been_refused():
    wanted = {"contains": {"const": 5}, "minContains": 2}
    assert left(wanted, "[1") is wanted
    assert (
        left(wanted, "[1", closing="")["prefixItems"][1:] == [{"allOf": [True, {"const": 5}]}] * 2
    )
    few = {"properties": {"a": {}, "b": {}}, "minProperties": 2}
    assert left(few, '{"b": 1', closing="")["required"] == ["a"]
    vacuous = {"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}}
    assert left(vacuous, "{") is vacuous
    assert left(vacuous, "{", closing="")["required"] == ["b"]
    both = {"oneOf": [{"maxProperties": 1}, {"properties": {"a": {"const": 1}}}]}
    assert len(left(both, "{", closing="")["allOf"][0]["anyOf"]) == 2


def test_missing_items_are_asked_for_where_they_can_stand():
    document = {
        "prefixItems": [{"type": "string"}, {"type": "string"}, {"type": ["integer", "null"]}],
        "contains": {"type": "number"},
    }
    first = left(document, '["a"', closing="")["prefixItems"]
    assert first[:2] == document["prefixItems"][:2]
    assert first[2] == {"allOf": [{"type": ["integer", "null"]}, {"type": "number"}]}
    beyond = {"prefixItems": [{"type": "null"}] * 2, "contains": {"type": "number"}}
    assert left(beyond, "[null", closing="")["minItems"] == 3


def test_a_missing_item_may_be_one_that_is_just_being_written():
    document = {"items": {"minimum": 0}, "contains": {"minimum": 5}, "maxItems": 2}
    assert left(document, "[1, 7") is document
    assert left(document, "[[1], [") is document


def test_the_only_properties_that_are_left_are_required_without_asking():
    document = {
        "properties": {"a": {}, "b": {}, "c": {}},
        "minProperties": 2,
        "dependentRequired": {"c": ["a"]},
        "additionalProperties": False,
    }
    assert left(document, '{"c": 1, ')["required"] == ["a"]
    alone = {"properties": {"a": {}, "b": {}}, "minProperties": 2, "additionalProperties": False}
    assert left(alone, '{"b": 1, ')["required"] == ["a"]


def test_what_a_reference_leads_to_is_said_in_its_place():
    document = {
        "$ref": "#/$defs/payment",
        "required": ["kind"],
        "$defs": {"payment": CARD, "other": {"type": "null"}},
    }
    residual = left(document, '{"kind": "card", ')
    assert "$ref" not in residual
    assert residual["allOf"][0]["required"] == ["number"]
    assert residual["$defs"] == document["$defs"]
    lone = {"properties": {"p": {"$ref": "#/$defs/payment"}}, "$defs": {"payment": CARD}}
    assert left(lone, '{"p": {"kind": "card", ')["properties"]["p"]["required"] == ["number"]


def test_unevaluated_items_are_further_items_once_the_branches_are_decided():
    document = {
        "prefixItems": [{"enum": ["pair", "single"]}],
        "if": {"prefixItems": [{"const": "pair"}]},
        "then": {"prefixItems": [True, True, True]},
        "else": {"prefixItems": [True, True]},
        "unevaluatedItems": False,
    }
    assert left(document, '["pair", ')["allOf"][-1] == {"prefixItems": [True] * 3, "items": False}
    assert left(document, '["single", ')["allOf"][-1] == {"prefixItems": [True] * 2, "items": False}
    open_ended = {**document, "then": {"items": True}}
    assert "unevaluatedItems" not in left(open_ended, '["pair", ')
    assert "items" not in left(open_ended, '["pair", ')


def test_unevaluated_properties_are_additional_ones_once_the_branches_are_decided():
    document = {
        "oneOf": [
            {"properties": {"t": {"const": i}, f"f{i}": True}, "required": ["t"]} for i in range(2)
        ],
        "unevaluatedProperties": False,
    }
    assert "unevaluatedProperties" in left(document, '{"f0": 1, "t')
    residual = left(document, '{"t": 1, ')
    assert "unevaluatedProperties" not in residual
    assert residual["allOf"][1] == {
        "properties": {"t": True, "f1": True},
        "additionalProperties": False,
    }


def test_only_what_leads_to_the_open_value_is_changed():
    item = {"properties": {"a": {}, "b": {}, "c": {}}, "dependentRequired": {"c": ["a"]}}
    document = {"properties": {"rows": {"type": "array", "items": item}, "x": {}}}
    residual = left(document, '{"rows": [{"a": 1}, {"b": 1, "c"')
    rows = residual["properties"]["rows"]
    assert rows["items"] is item
    assert rows["prefixItems"][0] is True
    assert list(rows["prefixItems"][1]["properties"]) == ["b", "c", "a"]
    assert rows["prefixItems"][1]["required"] == ["a"]


def test_references_still_lead_where_they_led():
    document = {
        "properties": {"v": {}, "w": {}, "n": {"$ref": "#"}, "m": {"$ref": "#/properties/n"}},
        "dependentRequired": {"v": ["w"]},
    }
    residual = left(document, '{"v": 1, "n": {"v": 2')
    validator = Draft202012Validator(residual)
    assert not validator.is_valid({"v": 1, "n": {"v": 2, "w": 1}})
    assert validator.is_valid({"v": 1, "n": {"v": 2, "w": 1}, "w": 1, "m": {}})
    assert not validator.is_valid({"v": 1, "n": {"v": 2, "w": 1}, "w": 1, "m": {"v": 1}})
    assert document["properties"]["n"] == {"$ref": "#"}


@pytest.mark.parametrize(
    "document",
    [
        CARD | {"unevaluatedProperties": False},
        {"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "minProperties": 2},
        {"not": {"anyOf": [{"required": ["a", "b"]}, {"properties": {"c": {"const": 1}}}]}},
        {"dependentSchemas": {"a": {"oneOf": [{"required": ["b"]}, {"required": ["c"]}]}}},
        {
            "properties": {"a": {}, "b": {}, "c": {}},
            "if": {"required": ["b"]},
            "then": {"anyOf": [{"required": ["c"]}, {"properties": {"a": {"const": 1}}}]},
            "else": {"unevaluatedProperties": False, "properties": {"a": {}}},
        },
        {"contains": {"const": 1}, "minContains": 2, "maxContains": 2, "maxItems": 3},
        {"anyOf": [{"prefixItems": [{"const": 1}, {"const": 2}]}, {"items": {"const": 3}}]},
        {"oneOf": [{"prefixItems": [{"const": 1}]}, {"contains": {"const": 2}}], "maxItems": 3},
    ],
)  # fmt: skip
def test_every_valid_completion_satisfies_the_residual(document):
    """By brute force over small values in every order of their keys, at every prefix."""
    specialiser, validator = Specialiser(document), Draft202012Validator(document)
    for value in small_values():
        text, is_valid = json.dumps(value).encode(), validator.is_valid(value)
        state = Guard(document).start()
        for position in range(1, len(text)):
            state = state.advance(text[position - 1 : position])
            if isinstance(state, Violation):
                assert not is_valid
                break
            residual = specialiser.specialised(state.value)
            if residual is not document:
                says = Draft202012Validator(without_past(residual, document))
                assert says.is_valid(value) is is_valid, (text[:position], residual)


def small_values():
    members = [1, 2, "card"]
    for n_members in range(4):
        yield from map(list, itertools.product(members, repeat=n_members))
    for keys in itertools.chain.from_iterable(
        itertools.permutations(["kind", "a", "b", "c"], n) for n in range(3)
    ):
        for values in itertools.product(members, repeat=len(keys)):
            yield dict(zip(keys, values, strict=True))


def without_past(residual, document):
    """Return the residual with what it forbids because its turn is past."""
    properties, before = residual.get("properties"), document.get("properties", {})
    if not isinstance(properties, dict):
        return residual
    allowed = {key: before.get(key, says) for key, says in properties.items()}
    return {**residual, "properties": allowed}
