import pytest

from steer_engine import Choices, LarkGrammar, Regex, SchemaError
from steer_engine.text_forms import lark_of


def test_every_form_becomes_a_grammar():
    assert lark_of(Regex("^a/b$")) == "start: /(?:a\\x{2F}b)/\n"
    assert lark_of(Choices(("a", "", "."))) == "start: /(?:a||\\x{2E})/\n"


def test_a_lark_grammar_keeps_its_lines():
    text = 'start: "a" // <words>\n'
    assert lark_of(LarkGrammar(text)).startswith(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('start: <|end|> "a"', "control tokens"),
        ("start: <[12-14]>", "control tokens"),
        ('start: x\nx[temperature=0.5]: "a"', "line 2"),
        ("start: x\nx[max_tokens=5]: /a*/", "max_tokens"),
        ('start: x\nx[stop="b"]: /a*/', "stop"),
        ("start: @other", "other grammars"),
    ],
)
def test_what_cannot_be_obeyed_is_refused(text, reason):
    with pytest.raises(SchemaError, match=reason):
        lark_of(LarkGrammar(text))


@pytest.mark.parametrize(
    "text",
    [
        'start: "<b>" /<i>/ // <|end|>',
        'start: "temperature=5" # max_tokens=3',
        'start: "say \\"<x>\\"" /a\\/<b>/',
    ],
)
def test_words_in_texts_patterns_and_comments_are_no_directives(text):
    assert lark_of(LarkGrammar(text)).startswith(text)
