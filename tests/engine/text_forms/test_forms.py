import pytest

from steer_engine import (
    Choices,
    GbnfGrammar,
    LarkGrammar,
    Regex,
    SchemaError,
    compose,
    read_grammar,
)


def test_choices_that_are_given_twice_count_once():
    assert Choices(("a", "b", "a")).options == ("a", "b")


@pytest.mark.parametrize(
    ("options", "reason"),
    [((), "no choices"), ((1, 2), "int"), ((None,), "NoneType"), (("\ud800",), "surrogate")],
)
def test_choices_are_texts(options, reason):
    with pytest.raises(SchemaError, match=reason):
        Choices(options)


def test_a_long_list_of_choices_is_not_told_in_full():
    told = Choices(tuple(f"name{i}" for i in range(5000))).instruction
    assert "5000" in told
    assert "name4999" not in told


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('root ::= "a"', GbnfGrammar),
        ('# words\nroot\t::= x\nx ::= "a"', GbnfGrammar),
        ('start: "a"', LarkGrammar),
        ('start: "::="', LarkGrammar),
    ],
)
def test_the_notation_of_a_grammar_is_told_by_its_rules(text, kind):
    assert read_grammar(text) == kind(text)


@pytest.mark.parametrize(
    "form", [Regex("[a-z]+"), Choices(("yes", "no")), read_grammar('root ::= "a"')]
)
def test_the_model_is_told_the_form(form):
    system, user = compose("Well?", form)
    assert system.content == form.instruction
    assert user.content == "Well?"
