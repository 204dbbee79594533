"""The quick check against the metaschema itself."""

import json

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from steer_engine.schema.document import walk
from steer_engine.schema.metaschema import first_fault

WRONG = (
    None,
    True,
    0,
    -1,
    1.5,
    2.0,
    "",
    "a",
    "#a",
    [],
    [1],
    ["a", "a"],
    [{}],
    {},
    {"a": 1},
    {"a": []},
)


KEYWORDS = """
    $anchor $comment $defs $dynamicAnchor $dynamicRef $id $recursiveRef $ref $schema $vocabulary
    additionalProperties allOf anyOf const contains contentEncoding contentMediaType contentSchema
    default definitions dependencies dependentRequired dependentSchemas deprecated description else
    enum examples exclusiveMaximum exclusiveMinimum format if items maxContains maxItems maxLength
    maxProperties maximum minContains minItems minLength minProperties minimum multipleOf not oneOf
    pattern patternProperties prefixItems properties propertyNames readOnly required then title type
    unevaluatedItems unevaluatedProperties uniqueItems writeOnly x-unknown
    """


@pytest.mark.parametrize("keyword", KEYWORDS.split())
def test_a_keyword_with_every_kind_of_value(keyword):
    metaschema = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for value in (*WRONG, "string", ["string", "null"], {"a": {}}, {"a": ["b"]}, {"a": True}):
        document = {keyword: value}
        is_right = first_fault(dict(walk(document))) is None
        assert is_right == metaschema.is_valid(document), document


def test_faults_at_any_depth(shared):
    metaschema = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    rng = np.random.default_rng(1)
    path = shared / "json-schema-test-suite/tests/draft2020-12/unevaluatedProperties.json"
    for group in json.loads(path.read_text())[:40]:
        document = group["schema"]
        for _, schema in walk(document):
            if isinstance(schema, dict) and schema and rng.random() < 0.1:
                schema[rng.choice(list(schema))] = WRONG[rng.integers(len(WRONG))]
        is_right = first_fault(dict(walk(document))) is None
        assert is_right == metaschema.is_valid(document)
