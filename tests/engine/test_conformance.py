import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry

from acceptance.cases import Case, Instance, read_maskbench, read_suite, sample
from acceptance.judging import Judge
from acceptance.reporting import summary
from acceptance.spelling import in_schema_order, spellings
from acceptance.strategies import SOUND
from acceptance.systems import Steermagic
from steer_engine.backends.fake import FakeBackend
from steer_engine.backends.llamacpp_vocabulary import read_vocabulary
from steer_engine.schema import read_schema

ROOT = Path(__file__).parents[2]
N_MASKBENCH = 150


@pytest.fixture(scope="module")
def judged(shared):
    """A function that judges cases with a real vocabulary."""
    vocabulary = read_vocabulary(shared / "vocab" / "ggml-vocab-gpt-2.gguf")
    judge, system = Judge(vocabulary), Steermagic(vocabulary)
    return lambda cases: [judge.judge(system, case) for case in cases]


@pytest.fixture(scope="module")
def suite(shared, judged):
    return judged(read_suite(shared / "json-schema-test-suite"))


@pytest.fixture(scope="module")
def maskbench(shared, judged):
    cases = read_maskbench(shared / "maskbench_open.jsonl.xz")
    return judged(sample(cases, N_MASKBENCH, seed=1))


def _wrong_accepts(outcomes):
    return [
        (outcome.case.name, mistake.description)
        for outcome in outcomes
        for mistake in outcome.mistakes
        if mistake.kind == "wrong accept"
    ]


def test_no_invalid_instance_of_the_official_suite_is_accepted(suite):
    assert _wrong_accepts(suite) == []


def test_the_official_suite_is_judged_rightly_but_for_one_test_in_a_hundred(suite):
    figures = summary(suite)
    wrong = Counter(outcome.case.keyword for outcome in suite if not outcome.is_fully_right)
    assert figures["tests_right"] >= 0.99 * figures["tests"], wrong


def test_no_schema_of_the_official_suite_ends_in_a_defect(suite):
    assert [outcome.case.name for outcome in suite if outcome.end == "crash"] == []


def test_no_invalid_instance_of_maskbench_is_accepted(maskbench):
    assert _wrong_accepts(maskbench) == []


def test_the_schemas_of_maskbench_are_fully_right_but_for_one_in_a_hundred(maskbench):
    wrong = [outcome.case.name for outcome in maskbench if not outcome.is_fully_right]
    assert len(wrong) <= 0.01 * N_MASKBENCH, wrong


def test_the_script_ends_with_one_json_object(shared):
    reply = subprocess.run(
        [
            sys.executable,
            str(ROOT / "benchmarks" / "conformance.py"),
            *("--suite", str(shared / "json-schema-test-suite"), "--drafts", "draft7"),
            *("--maskbench", str(shared / "maskbench_open.jsonl.xz")),
            *("--vocab", str(shared / "vocab" / "ggml-vocab-gpt-2.gguf")),
            *("--limit", "5", "--peers", "llguidance"),
        ],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "engine")},
    )
    figures = json.loads(reply.stdout.splitlines()[-1])
    names = ("schemas", "fully_right", "wrong_accepts", "wrong_rejects", "refused")
    names += ("mask_p50_us", "mask_p99_us", "compile_p50_ms")
    for part in (figures, figures["llguidance"], figures["suite"], figures["maskbench"]):
        assert set(names) <= set(part)
    assert figures["schemas"] == 10


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"properties": {"b": True, "a": True}}, {"a": 1, "b": 2}, ["b", "a"]),
        ({"required": ["b", "a"]}, {"c": 1, "a": 1, "b": 2}, ["b", "a", "c"]),
        ({"const": {"b": 1, "a": 2}}, {"a": 2, "b": 1}, ["b", "a"]),
        (
            {"allOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": {"properties": {"b": True}}}},
            {"a": 1, "b": 2},
            ["b", "a"],
        ),
        (
            {
                "anyOf": [
                    {"properties": {"a": {"const": 0}, "b": True}},
                    {"properties": {"b": True, "a": {"const": 1}}},
                ]
            },
            {"a": 1, "b": 2},
            ["b", "a"],
        ),
        (
            {"if": {"required": ["a"]}, "then": {"properties": {"b": True}}},
            {"a": 1, "b": 2},
            ["b", "a"],
        ),
    ],
)
def test_a_value_is_written_in_the_order_of_its_schema(schema, value, expected):
    assert list(in_schema_order(schema, value)) == expected


def test_the_order_holds_below_lists_and_objects():
    item = {"properties": {"b": True, "a": True}}
    schema = {"items": item, "patternProperties": {"^p": item}}
    assert spellings(schema, [{"a": 1, "b": 2.0}]) == (
        '[{"b": 2, "a": 1}]',
        '[{"a": 1, "b": 2.0}]',
    )
    assert spellings(schema, {"p": {"a": 1, "b": 2}})[0] == '{"p": {"b": 2, "a": 1}}'


_VALUES = [
    *(None, True, False, 0, 1, 2, -3, 5, 0.5, 1.5, "", "a", "ab", "aab", "é", "b", "\n"),
    *([], [0], [0, 0], ["a"], ["a", 1], [[], {}], [0, 1, "a"], [1, 2, 3, 4], [None, True]),
    *({}, {"a": 0}, {"b": 1}, {"a": "a", "b": 1}, {"a": {}}, {"a": {"a": 1}}, {"": None}),
    *({"a": 1, "b": 2, "": 3}, {"é": 1}, {"a": []}, {"/": 0, "~": 1}, {"b": {"a": "ab"}}),
]


@pytest.fixture(scope="module")
def fake():
    vocabulary = FakeBackend().vocabulary
    return Judge(vocabulary), Steermagic(vocabulary)


def _multiple_of(validator, divisor, value, schema):
    """As it is written: binary fractions make 1 no multiple of 1e-9."""
    if validator.is_type(value, "number") and Decimal(repr(value)) % Decimal(repr(divisor)):
        yield ValidationError(f"{value} is no multiple of {divisor}")


_Exact = extend(Draft202012Validator, {"multipleOf": _multiple_of})


def _verdicts(document):
    """What `jsonschema`, without the formats, says of `_VALUES`."""
    validator = _Exact(document, registry=Registry())
    return tuple(Instance(value, validator.is_valid(value), "") for value in _VALUES)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(document=SOUND)
def test_the_matcher_agrees_with_a_validator_on_any_schema(document, fake):
    try:
        read_schema(document)  # which refuses what sends jsonschema round in circles
        instances = () if '"format"' in json.dumps(document) else _verdicts(document)
    except Exception:  # noqa: BLE001 - or a pattern that Python cannot read
        instances = ()
    judge, system = fake
    outcome = judge.judge(system, Case("fuzz", "", "", document, instances))
    assert outcome.end in ("judged", "unsatisfiable", "refused"), outcome.reason
    assert outcome.mistakes == ()
    assert outcome.end != "unsatisfiable" or not any(each.is_valid for each in instances)
