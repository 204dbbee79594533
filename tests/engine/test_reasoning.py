import pytest

from steer_engine import Message
from steer_engine.backends.fake import FakeBackend
from steer_engine.prompting import ChatLayout
from steer_engine.reasoning import PLAIN, reasoning_style

VOCABULARY = FakeBackend().vocabulary
QWEN = (
    "{% for m in messages %}<|user|>{{ m.content }}{% endfor %}<|user|>"
    "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
)
ALWAYS = "{% for m in messages %}<|user|>{{ m.content }}{% endfor %}<|user|><think>\n{# </think> #}"
ASKED = (Message("user", "Who?"),)


def test_a_model_thinks_with_the_tags_of_its_template():
    style = reasoning_style(QWEN, VOCABULARY)
    assert (style.opening, style.closing) == ("<think>", "</think>")
    assert reasoning_style("[THINK] [/THINK]", VOCABULARY).closing == "[/THINK]"
    assert reasoning_style(FakeBackend.chat_template, VOCABULARY) is PLAIN
    assert reasoning_style(None, VOCABULARY) is PLAIN


@pytest.mark.parametrize("template", [QWEN, ALWAYS])
def test_a_model_that_thinks_begins_inside_its_tag(template):
    text = ChatLayout(template, VOCABULARY, thinks=True).render(ASKED)
    assert text.endswith("<think>\n")
    assert text.count("<think>") == 1


@pytest.mark.parametrize("template", [QWEN, ALWAYS])
def test_a_model_that_does_not_think_begins_after_its_tag(template):
    text = ChatLayout(template, VOCABULARY).render(ASKED)
    assert text.endswith("</think>\n\n")
    assert text.count("<think>") == 1


def test_a_model_that_says_what_follows_says_that_its_answer_does():
    """Answers began where the model had been trained to name a channel."""
    template = (
        "{% for m in messages %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{% endfor %}"
        "<|start|>assistant{# <|channel|>analysis<|message|> #}"
    )
    final = "<|start|>assistant<|channel|>final<|message|>"
    assert ChatLayout(template, VOCABULARY).render(ASKED).endswith(f"<|end|>{final}")
    assert ChatLayout(f"{template}{final}", VOCABULARY).render(ASKED).count("final") == 1
    thinking = ChatLayout(template, VOCABULARY, thinks=True)
    assert thinking.render(ASKED).endswith("<|start|>assistant<|channel|>analysis<|message|>\n")
    assert thinking.style.ending("so it is Ada") == f"\n<|end|>{final}"


def test_a_model_without_tags_is_told_to_think():
    system = Message("system", "Be kind.")
    text = ChatLayout(FakeBackend.chat_template, VOCABULARY, thinks=True).render((system, *ASKED))
    assert "Be kind.\n\nBefore you answer, think" in text
    assert text.index("think step by step") < text.index("Who?")
    assert "think" not in ChatLayout(FakeBackend.chat_template, VOCABULARY).render(ASKED)


@pytest.mark.parametrize(
    ("thoughts", "ending"),
    [
        ("so it is Ada", "\n</think>\n\n"),
        ("so it is Ada\n</think>", "\n\n"),
        ("so it is Ada\n</think>\n\n", ""),
        ("so it is Ada\n</think>\n", "\n"),
        ("so it is Ada</think>{", ""),
    ],
)
def test_what_closes_thoughts_is_added_where_it_is_missing(thoughts, ending):
    style = reasoning_style(QWEN, VOCABULARY)
    assert style.ending(thoughts) == ending
    assert style.without_closing(thoughts) == "so it is Ada"
