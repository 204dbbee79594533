import pytest

from steer_engine import Choices, Engine, GbnfGrammar, Regex, read_schema
from steer_engine.backends.fake import FakeBackend


@pytest.fixture(scope="module")
def engine():
    with Engine(FakeBackend()) as engine:
        yield engine


def treatments(explanation):
    return {(clause.pointer, clause.keyword): clause.treatment for clause in explanation.clauses}


def test_every_keyword_is_explained_at_its_place(engine):
    schema = read_schema(
        {
            "type": "object",
            "properties": {"a": {"type": "array", "uniqueItems": True}},
            "required": ["a"],
            "additionalProperties": False,
        }
    )
    found = treatments(engine.explain(schema))
    assert found["", "required"] == "masked"
    assert found["/properties/a", "uniqueItems"] == "guarded"


def test_the_shortest_value_and_the_first_tokens_are_told(engine):
    explanation = engine.explain(read_schema("a: str, b: int 10..90"))
    assert explanation.shortest == '{"a": "", "b": 10}'
    assert explanation.n_shortest_tokens <= len(explanation.shortest)
    assert b'{"' in explanation.first_tokens
    assert explanation.n_first_tokens == len(explanation.first_tokens)


def test_a_schema_that_is_refused_is_explained_all_the_same(engine):
    explanation = engine.explain(read_schema({"type": "integer", "minimum": 3, "maximum": 2}))
    assert explanation.is_refused
    assert explanation.shortest is None
    assert any(clause.treatment == "refused" and clause.reason for clause in explanation.clauses)


def test_what_is_copied_has_no_shortest_value_without_a_prompt(engine):
    explanation = engine.explain(read_schema("a: verbatim"))
    assert treatments(explanation)["/properties/a", "x-steer"] == "masked"
    assert explanation.shortest is None


def test_a_copy_that_may_be_part_of_a_word_is_a_copy(engine):
    mark = {"type": "string", "x-steer": {"verbatim": {"aligned": False}}}
    explanation = engine.explain(read_schema(mark))
    [clause] = [each for each in explanation.clauses if each.keyword == "x-steer"]
    assert "may begin and end inside a word" in clause.reason
    assert explanation.shortest is None


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "integer", "x-steer": {"verbatim": True}}, ""),
        ({"type": "string", "x-steer": {"verbatim": "yes"}}, ""),
        ({"type": "string", "not": {"const": "b", "x-steer": {"verbatim": True}}}, "/not"),
    ],
)
def test_a_mark_that_no_cell_can_use_is_refused(engine, schema, pointer):
    explanation = engine.explain(read_schema(schema))
    assert treatments(explanation)[pointer, "x-steer"] == "refused"
    assert explanation.is_refused


@pytest.mark.parametrize(
    ("form", "shortest"),
    [
        (Choices(("red", "blue")), {"red", "blue"}),
        (Regex("[xy]{3}"), {"xxx"}),
        (GbnfGrammar('root ::= "(" root ")" | "z"'), {"z"}),
    ],
)
def test_a_text_form_is_explained(engine, form, shortest):
    explanation = engine.explain(form)
    assert not explanation.is_refused
    assert explanation.shortest in shortest


def test_a_pattern_that_cannot_be_enforced_is_explained_as_refused(engine):
    explanation = engine.explain(Regex("(?=a)"))
    assert explanation.is_refused
    assert "looks ahead" in explanation.clauses[-1].reason
