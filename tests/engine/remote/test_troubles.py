import pytest

from steer_engine import PromptTooLongError, ServerError, ServerLostError
from steer_engine.remote.payloads import at, list_at, number_at, text_at, whole_at
from steer_engine.remote.questions import Manner, adapted
from steer_engine.remote.troubles import Trouble, complaint, refusal


@pytest.mark.parametrize(
    ("status", "words", "error"),
    [
        (400, "no such thing", ServerError),
        (400, "maximum context length is 2048 tokens", PromptTooLongError),
        (500, "the input length exceeds the context length", PromptTooLongError),
        (401, "who are you", ServerLostError),
        (404, "model not found", ServerLostError),
        (503, "loading", ServerError),
        (302, "elsewhere", ServerLostError),
    ],
)
def test_what_a_status_means_for_a_row(status, words, error):
    found = refusal(status, {"error": {"message": words}}, words).error(str)
    assert type(found) is error
    assert words in str(found)


def test_who_is_forbidden_something_is_told_of_the_key_unless_it_was_taken_before():
    first = refusal(403, None, "flagged")
    assert "STEERMAGIC_API_KEY" in first.words
    assert type(first.error(str)) is ServerLostError
    later = refusal(403, None, "flagged", has_answered=True)
    assert later.words == "the server answers 403: flagged"
    assert type(later.error(str)) is ServerError
    assert refusal(401, None, "expired", has_answered=True).kind == "barred"


@pytest.mark.parametrize(
    ("payload", "words", "named"),
    [
        ({"error": {"message": "m", "param": "p"}}, "m", "p"),
        ({"error": "m"}, "m", ""),
        ({"object": "error", "message": "m", "param": "p"}, "m", "p"),
        ({"detail": "m"}, "m", ""),
        ({"detail": [{"loc": ["body", "x"]}]}, "[{'loc': ['body', 'x']}]", ""),
        ([], "", ""),
        (None, "", ""),
    ],
)
def test_complaints_in_every_form(payload, words, named):
    assert complaint(payload) == (words, named)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1.5", 1.5), ("-3", 0), ("soon", None), ("", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_retry_after(text, seconds):
    assert refusal(429, None, "", {"retry-after": text}).retry_after_s == seconds


def test_words_are_one_line_and_not_too_long():
    trouble = Trouble("a\nb  " + "c" * 1000)
    assert trouble.words.startswith("a b c")
    assert len(trouble.words) == 300
    assert "it gave no reason" in refusal(500, None, "").words


@pytest.mark.parametrize(
    ("words", "named", "manner"),
    [
        ("use max_completion_tokens", "max_tokens", Manner(budget="max_completion_tokens")),
        ("no logprobs here", "", Manner(frozenset({"logprobs", "top_logprobs"}))),
        ("unknown field top_k", "", Manner(frozenset({"top_k"}))),
        ("not supported", "temperature", Manner(frozenset({"temperature"}))),
        ("System role not supported", "", Manner(merges_system=True)),
        ("no such model", "", None),
    ],
)
def test_what_is_refused_is_spared(words, named, manner):
    assert adapted(Manner(), Trouble(words, named=named)) == manner
    if manner is not None:
        assert adapted(manner, Trouble(words, named=named)) is None


def test_parts_that_are_missing_or_of_another_type():
    value = {"a": [{"b": 1.5, "t": "x", "yes": True, "nan": float("nan")}]}
    assert at(value, "a", 0, "b") == 1.5
    assert at(value, "a", 1) is at(value, 0) is at(value, "a", "b") is None
    assert text_at(value, "a", 0, "t") == "x"
    assert text_at(value, "a") == ""
    assert number_at(value, "a", 0, "yes") is None
    assert (whole_at(value, "a", 0, "b"), whole_at(value, "a", 0, "nan")) == (1, 0)
    assert list_at(value, "a", 0) == []
