"""What goes into the mask, what is left for the guard, and how that is accounted for."""

import json

import pytest

from steer_engine.errors import UnenforceableError, UnsatisfiableError
from steer_engine.schema import read_schema
from steer_engine.schema.formats import FORMATS, check_format
from steer_engine.schema.lowering import lowered

EXACT = [
    ({"not": {"type": "string"}}, [1, None, {}], ["a"]),
    ({"not": {"enum": ["a", "bc", 1, None]}}, ["", "b", "bcd", 2, 0.5], ["a", "bc", 1, None]),
    ({"type": "number", "not": {"enum": [0, 1.5]}}, [1, -1, 1.25], [0, 1.5]),
    ({"type": "array", "not": {"contains": {"type": "null"}}}, [[], [1]], [[None], [1, None]]),
    (
        {"type": "object", "not": {"required": ["a", "b"]}},
        [{}, {"a": 1}, {"b": 1}],
        [{"a": 1, "b": 1}],
    ),
    (
        {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"maxProperties": 1}},
        [{"a": 1, "b": 1}, {"b": 1}, 5],
        [{"a": 1}, {"b": 1, "c": 1}],
    ),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, [{"a": 1}, {"b": 1}], [{}, 5]),
    (
        {"type": "number", "oneOf": [{"maximum": 2}, {"minimum": 1}]},
        [0, 0.5, 2.5, 3],
        [1, 1.5, 2],
    ),
    (
        {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["a"]}}},
        [{"b": 1}, {"b": 1, "a": 1}, {"b": 1, "a": 1, "c": 1}],
        [{"a": 1}, {"c": 1}],
    ),
    (
        {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "minProperties": 2},
        [{"a": 1, "b": 1}, {"b": 1, "x": 1}, {"x": 1, "y": 1}],
        [{}, {"c": 1}, {"x": 1}],
    ),
    (
        {"properties": {"a": {}, "b": {}}, "additionalProperties": False, "maxProperties": 1},
        [{}, {"a": 1}, {"b": 1}],
        [{"a": 1, "b": 1}],
    ),
    ({"propertyNames": {"pattern": "^a+$"}}, [{"a": 1}, {"aa": 1}], [{"b": 1}]),
    ({"propertyNames": {"enum": ["a", "b"]}}, [{"b": 1, "a": 1}], [{"c": 1}]),
    (
        {
            "type": "object",
            "propertyNames": {"enum": ["a", "b", "c"]},
            "required": ["b"],
            "minProperties": 3,
        },
        [{"b": 1, "a": 2, "c": 3}, {"b": 1, "c": 2, "a": 3}],
        [{"a": 1, "b": 2}, {"a": 1, "b": 1, "d": 1}],
    ),
    (
        {"patternProperties": {"^a": {"type": "null"}, "^b": False}, "type": "object"},
        [{"a": None, "c": 1}],
        [{"a": 1}, {"b": None}],
    ),
    (
        {
            "properties": {"ab": {"minimum": 3}},
            "patternProperties": {"^[a-z]*$": {"type": "integer"}},
        },
        [{"ab": 3}, {"x": 1}, {"X": "y"}],
        [{"ab": 1}, {"ab": "x"}, {"x": "y"}],
    ),
    (
        {
            "$ref": "#/$defs/A",
            "properties": {"b": {}},
            "unevaluatedProperties": False,
            "$defs": {"A": {"properties": {"a": {}}}},
        },
        [{"b": 1, "a": 1}, {}],
        [{"c": 1}],
    ),
    (
        {
            "if": {"required": ["a"], "properties": {"a": {}}},
            "then": {"properties": {"b": {}}},
            "type": "object",
            "unevaluatedProperties": False,
        },
        [{"a": 1, "b": 1}, {}],
        [{"b": 1}, {"c": 1}],
    ),
    (
        {"allOf": [{"prefixItems": [{"type": "null"}]}], "unevaluatedItems": {"type": "string"}},
        [[None], [None, "a"], []],
        [[1], [None, 1]],
    ),
    ({"prefixItems": [{}, {"type": "null"}], "items": False}, [[], [1], [1, None]], [[1, 2]]),
    ({"enum": [1, 1.5, "a", {"b": [1]}], "not": {"type": "string"}}, [1, 1.5, {"b": [1]}], ["a"]),
    ({"const": 2**53 + 1}, [2**53 + 1], [2**53, 2**53 + 2, 9]),
    ({"const": 1e22}, [10**22], [10**21, 10**22 + 1]),
    ({"enum": [-(2**60) - 1, 2**60 + 1, 10 * 2**60 + 10]}, [-(2**60) - 1, 2**60 + 1], [2**60]),
    ({"enum": [2**60 + 1 + 2 * n for n in range(20_000)]}, [2**60 + 1, 2**60 + 39_999], [2**60]),
    ({"enum": [10**20, 2**64, "a"]}, [10**20, 2**64, "a"], [2**64 - 384, 10**19, "b"]),
    (
        {
            "type": "object",
            "properties": {"id": {"enum": [2**63 + 1, 2**63 + 2]}, "n": {"type": "integer"}},
            "required": ["id"],
            "additionalProperties": {"type": "array", "items": {"const": 2**60 + 1}},
        },
        [{"id": 2**63 + 1}, {"id": 2**63 + 2, "n": 1, "x": [2**60 + 1]}],
        [{"id": 2**63}, {"n": 1}, {"id": 2**63 + 1, "x": [2**60]}],
    ),
    ({"type": "number", "maximum": 1.25}, [1.25, 1.2, 1, -3.5], [1.26, 1.3, 2]),
    ({"type": "number", "minimum": -1.25}, [-1.25, -1.2, -1, 3.5], [-1.26, -1.3, -2]),
    ({"type": "number", "multipleOf": 0.25}, [0.5, 0.25, -1.75, 3], [0.1, 0.3]),
    ({"type": "integer", "multipleOf": 0.5}, [1, -3], [0.5]),
    ({"allOf": [{"multipleOf": 4}, {"multipleOf": 6}], "type": "integer"}, [12, -24], [4, 6]),
    ({"format": "no format"}, ["a", 1], []),
    ({"format": "date", "pattern": "^2024-"}, ["2024-02-29"], ["2024-02-30", "2023-01-01"]),
    (
        {"format": "date-time", "pattern": "Z$"},
        ["2024-02-29T01:02:03Z"],
        ["2024-02-29T01:02:03+00:00", "todayZ"],
    ),
    ({"format": "uri", "pattern": r"\.(jpg|png)$"}, ["a:b.jpg"], ["a:b", ".jpg"]),
]


@pytest.mark.parametrize(("document", "valid", "invalid"), EXACT)
def test_what_needs_no_guard(compile_mask, document, valid, invalid):
    split = lowered(document)
    assert split.guarded is True
    needless = ("masked", "ignored")
    guarded = {clause.keyword for clause in split.clauses if clause.treatment not in needless}
    assert guarded <= {"patternProperties"}  # keys must not come twice
    mask = compile_mask(split.masked)
    assert not mask.error
    assert [value for value in valid if not mask.allows_value(document, value)] == []
    assert [value for value in invalid if mask.allows_value(document, value)] == []


@pytest.mark.parametrize(
    ("document", "keyword", "masked"),
    [
        ({"type": "array", "uniqueItems": True}, "uniqueItems", {"type": "array"}),
        (
            {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True},
            "uniqueItems",
            {"type": "array", "items": {"enum": [1, 2]}, "maxItems": 2},
        ),
        ({"type": "integer", "multipleOf": 999983}, "multipleOf", {"type": "integer"}),
        (
            {"type": "integer", "minimum": 2**63},
            "minimum",
            {"type": "integer", "minimum": 10**16},
        ),
        (
            {"type": "number", "maximum": -1e16 - 2},
            "maximum",
            {"type": "number", "maximum": -(10**16)},
        ),
        ({"type": "integer", "maximum": 2**63}, "maximum", {"type": "integer"}),
        (
            {"type": "integer", "minimum": 2**53 + 1},
            "minimum",
            {"type": "integer", "minimum": 9007199254740990},
        ),
        ({"type": "number", "minimum": 1e-20}, "minimum", {"type": "number", "minimum": 0}),
        ({"const": 5e-324}, "const", {"type": "number"}),
        ({"enum": [2**60 + 1 + 2 * n for n in range(20_001)]}, "enum", {"type": "integer"}),
        ({"type": "string", "format": "regex"}, "format", {"type": "string"}),
        ({"type": "number", "exclusiveMinimum": 1, "maximum": 1.5}, "exclusiveMinimum", None),
        ({"contains": {"const": 1}, "type": "array"}, "contains", {"type": "array", "minItems": 1}),
        (
            {"type": "array", "minItems": 10**9},
            "minItems",
            {"type": "array", "minItems": 5000},
        ),
    ],
)
def test_what_the_guard_has_to_see_to(document, keyword, masked):
    split = lowered(document)
    assert split.guarded == {keyword: document[keyword]}
    assert masked is None or split.masked == masked
    [clause] = [clause for clause in split.clauses if clause.treatment == "guarded"]
    assert (clause.pointer, clause.keyword) == ("", keyword)
    assert clause.reason


def test_the_residue_keeps_the_places_of_the_document():
    unique = {"type": "array", "uniqueItems": True}
    document = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"$ref": "#/$defs/U"}},
        "additionalProperties": {"allOf": [{"minItems": 1}, unique]},
        "$defs": {"U": unique, "V": {"type": "null"}},
    }
    assert lowered(document).guarded == {
        "properties": {"a": True, "b": {"$ref": "#/$defs/U"}},
        "additionalProperties": {"allOf": [True, {"uniqueItems": True}]},
        "$defs": {"U": {"uniqueItems": True}},
    }


def test_conditions_of_which_a_part_is_left_stay_whole():
    document = {
        "if": {"required": ["a"]},
        "then": {"properties": {"a": {"uniqueItems": True}}},
        "else": {"maxProperties": 2},
    }
    assert lowered(document).guarded == document


@pytest.mark.parametrize(
    ("document", "keyword"),
    [
        (False, ""),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "minimum"),
        ({"type": "object", "properties": {"a": False}, "required": ["a"]}, "required"),
        ({"allOf": [{"type": "string"}, {"type": "null"}]}, "type"),
        ({"enum": [1, 2], "minimum": 3}, "enum"),
        ({"type": "array", "items": False, "minItems": 1}, ""),
        ({"type": "array", "contains": False}, ""),
        ({"type": "object", "properties": {"n": {"$ref": "#"}}, "required": ["n"]}, ""),
        ({"type": "array", "items": {"$ref": "#"}, "minItems": 1}, ""),
        ({"not": {}}, "not"),
        ({"type": "null", "not": {"type": "null"}}, ""),
    ],
)
def test_what_nothing_satisfies_is_refused(document, keyword):
    with pytest.raises(UnsatisfiableError) as caught:
        lowered(document)
    assert f"`{keyword}`" in str(caught.value) or not keyword


def test_control_characters_in_values_are_refused():
    with pytest.raises(UnenforceableError) as caught:
        lowered({"properties": {"a": {"const": "x\0"}}, "required": ["a"], "type": "object"})
    assert (caught.value.pointer, caught.value.keyword) == ("/properties/a", "const")
    split = lowered({"enum": ["x\0", "y"]})
    assert split.masked == {"enum": ["y"]}
    assert [clause.treatment for clause in split.clauses] == ["refused"]


def test_branches_that_never_end_are_cut(compile_mask):
    document = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/L"}, "b": {"anyOf": [{"$ref": "#/$defs/L"}, {}]}},
        "$defs": {"L": {"type": "array", "items": {"$ref": "#/$defs/L"}, "minItems": 1}},
    }
    mask = compile_mask(lowered(document).masked)
    assert mask.allows('{"b": 1}')
    assert not mask.allows('{"a": [[]]}')


def test_alternatives_keep_their_own_order(compile_mask):
    document = {
        "properties": {"z": {}},
        "anyOf": [
            {"properties": {"b": {"const": 1}, "a": {}}, "required": ["b"]},
            {"properties": {"a": {"const": 2}, "b": {}}, "required": ["a"]},
        ],
    }
    mask = compile_mask(lowered(document).masked)
    assert mask.allows('{"z": 0, "b": 1, "a": 5}')
    assert mask.allows('{"z": 0, "a": 2, "b": 5}')
    assert not mask.allows('{"z": 0, "a": 1, "b": 5}')


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_formats_allow_what_their_checks_do(name, shared, compile_mask):
    split = lowered({"type": "string", "format": name})
    mask = compile_mask(split.masked)
    path = shared / f"json-schema-test-suite/tests/draft2020-12/optional/format/{name}.json"
    groups = json.loads(path.read_text()) if path.exists() else []
    texts = [case["data"] for group in groups for case in group["tests"]]
    for text in (each for each in texts if isinstance(each, str) and "\0" not in each):
        is_valid, is_allowed = (
            check_format(name, text),
            mask.allows(json.dumps(text, ensure_ascii=False)),
        )
        assert is_allowed if is_valid else not (is_allowed and split.guarded is True), text


@pytest.mark.parametrize(
    ("document", "treatment", "reason"),
    [
        ({"type": "string", "format": "uuid4"}, "ignored", "no such format is known"),
        ({"format": "url"}, "ignored", "no such format is known"),
        ({"type": "integer", "format": "email"}, "ignored", "formats are for strings"),
        ({"type": ["integer", "null"], "format": "int32"}, "ignored", "formats are for strings"),
        ({"type": ["string", "null"], "format": "date"}, "masked", ""),
        ({"format": "date"}, "masked", ""),
    ],
)
def test_a_format_without_effect_is_said_to_have_none(document, treatment, reason):
    [clause] = [clause for clause in lowered(document).clauses if clause.keyword == "format"]
    assert (clause.treatment, clause.reason) == (treatment, reason)


@pytest.mark.parametrize("sign", [1, -1])
def test_leap_seconds_are_right_in_every_zone(sign, compile_mask):
    mask = compile_mask(lowered({"type": "string", "format": "time"}).masked)
    for offset in range(0, 24 * 60, 37):
        zone = f"{'+' if sign > 0 else '-'}{offset // 60:02}:{offset % 60:02}"
        for wrong in (0, 1, 60):
            end = (23 * 60 + 59 + sign * offset + wrong) % (24 * 60)
            text = f"{end // 60:02}:{end % 60:02}:60{zone}"
            assert mask.allows(f'"{text}"') == (wrong == 0) == check_format("time", text)


def test_an_object_in_any_order_has_each_key_once_and_all_that_are_required(compile_mask):
    document = {
        "properties": {"a": {"type": "integer"}, "in": {"properties": {"x": {}, "y": {}}}},
        "required": ["a"],
        "type": "object",
        "x-steer": {"order": "any"},
    }
    split = lowered(read_schema(document).document)
    assert split.guarded is True
    mask = compile_mask(split.masked, any_order=True)
    assert mask.allows('{"more": 0, "in": {"y": 1, "x": 1}, "a": 1}')
    assert mask.allows('{"a": 1, "in": {"x": 1, "y": 1}}')
    assert not mask.allows('{"in": {}}')
    assert not mask.allows('{"a": 1, "a": 2}')


def test_only_the_object_that_asks_for_it_comes_in_any_order(compile_mask):
    inner = {"type": "object", "properties": {"x": {}, "y": {}}}
    document = {
        "type": "object",
        "properties": {"a": {**inner, "x-steer": {"order": "any"}}, "b": inner},
    }
    mask = compile_mask(lowered(document).masked, any_order=True)
    assert mask.allows('{"a": {"y": 1, "x": 1}, "b": {"x": 1, "y": 1}}')
    assert not mask.allows('{"a": {}, "b": {"y": 1, "x": 1}}')
    assert not mask.allows('{"b": {}, "a": {}}')


@pytest.mark.parametrize(
    "document",
    [
        {
            "allOf": [
                {"anyOf": [{"required": [f"a{i}"]}, {"required": [f"b{i}"]}]} for i in range(24)
            ]
        },
        {"properties": {f"p{i}": {"type": "integer"} for i in range(2000)}, "type": "object"},
        {"required": [f"name {i}" for i in range(20_000)], "type": "object"},
        {"enum": [f"value {i}" for i in range(50_000)]},
        {
            "oneOf": [
                {"properties": {"k": {"const": i}}, "required": ["k"], "type": "object"}
                for i in range(300)
            ]
        },
        {
            "$ref": "#/$defs/d30",
            "$defs": {"d0": {"type": "integer"}}
            | {
                f"d{i}": {
                    "oneOf": [{"$ref": f"#/$defs/d{i - 1}"}, {"not": {"$ref": f"#/$defs/d{i - 1}"}}]
                }
                for i in range(1, 31)
            },
        },
    ],
    ids=["choices", "properties", "required", "enum", "branches", "nest"],
)
def test_large_schemas_compile_and_their_first_masks_are_there(document, compile_mask):
    mask = compile_mask(lowered(document).masked)
    assert not mask.first_error()
