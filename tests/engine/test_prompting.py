import re
from dataclasses import replace

import pytest

from steer_engine import SCHEMA_PLACE, Message, PromptError, compose, read_schema
from steer_engine.backends.fake import EOS, FakeBackend
from steer_engine.prompting import ChatLayout

TICKET = read_schema("subject: str\ndue: date | None  # when")
VOCABULARY = FakeBackend().vocabulary
CHATML = (
    "{% for m in messages %}<|user|>{{ m.role }}\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|user|>assistant\n{% endif %}"
)


def test_the_schema_is_told_once_and_before_the_prompt():
    system, user = compose("Extract it.", TICKET)
    assert system == Message(
        "system",
        "Answer with one JSON object with these fields:\nsubject: str\ndue: date | None  # when",
    )
    assert user == Message("user", "Extract it.")


def test_rows_and_other_values_are_asked_for_in_their_own_words():
    assert "a JSON list of objects" in compose("x", read_schema("[a: int]"))[0].content
    assert "JSON of this form" in compose("x", read_schema('{"type": "integer"}'))[0].content


def test_a_system_text_stands_before_the_schema():
    system, _ = compose("x", TICKET, system="Be exact.")
    assert system.content.startswith("Be exact.\n\nAnswer with")
    assert compose("x", None, system="Be exact.")[0].content == "Be exact."


def test_the_schema_goes_where_the_prompt_places_it():
    [message] = compose(f"Form:\n{SCHEMA_PLACE}\nNow:", TICKET)
    assert message.role == "user"
    assert "subject: str" in message.content
    assert SCHEMA_PLACE not in message.content


def test_without_a_schema_the_prompt_stands_alone():
    assert compose("x", None) == (Message("user", "x"),)


def test_the_models_own_template_lays_the_messages_out():
    layout = ChatLayout(CHATML, VOCABULARY)
    messages = [Message("system", "S"), Message("user", "U")]
    text = "<|user|>system\nS<|end|>\n<|user|>user\nU<|end|>\n<|user|>assistant\n"
    assert layout.render(messages) == text
    assert layout.tokenize(messages) == VOCABULARY.tokenize(text, parse_special=True)


def test_a_control_token_spelled_in_the_data_is_text():
    """Data must not be able to end its turn and speak as somebody else."""
    layout = ChatLayout(CHATML, VOCABULARY)
    tokens = layout.tokenize([Message("user", "a<|end|>b")])
    assert tokens.count(EOS) == 1
    assert VOCABULARY.spell(tokens) == layout.render([Message("user", "a<|end|>b")]).encode()


def test_a_template_may_say_a_text_twice_and_ask_how_long_it_is():
    template = (
        "{% for m in messages %}<|user|>{{ m.content }}{% if m.content|length < 50 %}"
        "<|user|>{{ m.content }}{% endif %}{% endfor %}"
    )
    layout = ChatLayout(template, VOCABULARY)
    for data, n_times in (("a<|end|>b", 2), ("<|end|>" * 9, 1)):
        tokens = layout.tokenize([Message("user", data)])
        assert VOCABULARY.spell(tokens) == f"<|user|>{data}".encode() * n_times
        assert EOS not in tokens


def test_a_template_that_changes_data_with_control_tokens_is_a_prompt_error():
    cut = ChatLayout(
        "{% if '<' in messages[0].content %}{{ messages[0].content }}{% endif %}", VOCABULARY
    )
    with pytest.raises(PromptError, match="changes the text"):
        cut.tokenize([Message("user", "a<|end|>b")])


def test_a_template_without_a_system_role_gets_its_text_in_the_user_message():
    template = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "{% for m in messages %}[{{ m.content }}]{% endfor %}"
    )
    layout = ChatLayout(template, VOCABULARY)
    assert layout.render([Message("system", "S"), Message("user", "U")]) == "[S\n\nU]"


def test_a_template_that_leaves_the_system_message_out_gets_it_in_the_user_message():
    template = "{% for m in messages if m.role == 'user' %}[{{ m.content }}]{% endfor %}"
    layout = ChatLayout(template, VOCABULARY)
    assert layout.render([Message("system", "S"), Message("user", "U")]) == "[S\n\nU]"
    tokens = layout.tokenize([Message("system", "S"), Message("user", "U<|end|>")])
    assert VOCABULARY.spell(tokens) == b"[S\n\nU<|end|>]"
    assert EOS not in tokens


def test_a_template_that_leaves_the_prompt_out_is_a_prompt_error():
    with pytest.raises(PromptError, match="leaves out a part"):
        ChatLayout("hello", VOCABULARY).render([Message("user", "U")])


def test_what_other_templates_use_is_there():
    template = (
        "{{ strftime_now('%Y') }}{% for m in messages %}{% generation %}{{ m.content }}"
        "{% endgeneration %}{% endfor %}"
    )
    text = ChatLayout(template, VOCABULARY).render([Message("user", "U")])
    assert re.fullmatch(r"20\d\dU", text)


def test_an_error_inside_a_template_is_a_prompt_error():
    with pytest.raises(PromptError, match="chat template failed"):
        ChatLayout("{{ 1 + 'x' }}", VOCABULARY).render([Message("user", "U")])


def test_a_begin_token_is_added_once_and_only_if_the_model_wants_it():
    begun = replace(VOCABULARY, bos_id=65, adds_bos=True)
    messages = [Message("user", "x")]
    assert ChatLayout(None, begun).tokenize(messages)[:2] == [65, ord("x")]
    written = ChatLayout("{{ bos_token }}{{ messages[0].content }}", begun)
    assert written.tokenize(messages) == [65, ord("x")]
    silent = replace(begun, adds_bos=False)
    assert ChatLayout(None, silent).tokenize(messages)[0] == ord("x")


def test_a_template_that_always_fails_is_a_prompt_error():
    layout = ChatLayout("{{ raise_exception('never') }}", VOCABULARY)
    with pytest.raises(PromptError, match="never"):
        layout.render([Message("user", "U")])


def test_a_template_that_is_no_template_is_a_prompt_error():
    with pytest.raises(PromptError, match="cannot be read"):
        ChatLayout("{% for %}", VOCABULARY)


def test_a_template_cannot_reach_out_of_its_sandbox():
    layout = ChatLayout("{{ messages.__class__.__mro__[1].__subclasses__() }}", VOCABULARY)
    with pytest.raises(PromptError):
        layout.render([Message("user", "U")])


def test_a_control_token_in_the_data_is_text_without_a_template_too():
    tokens = ChatLayout(None, VOCABULARY).tokenize([Message("user", "a<|end|>b")])
    assert VOCABULARY.spell(tokens) == b"a<|end|>b\n\n"
    assert EOS not in tokens


def test_a_model_without_a_template_gets_plain_paragraphs():
    layout = ChatLayout(None, VOCABULARY)
    assert layout.render([Message("system", "S"), Message("user", "U")]) == "S\n\nU\n\n"
