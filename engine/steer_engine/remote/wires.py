"""How a question is put to a server, and a part of its reply read: OpenAI's way, and Ollama's.

Ollama also speaks OpenAI's, but there it cuts off the beginning of a prompt that is too long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from steer_engine.remote.address import Address
from steer_engine.remote.payloads import at, list_at, text_at, whole_at
from steer_engine.remote.questions import Manner, Question
from steer_engine.remote.replies import Piece, read_tokens
from steer_engine.remote.troubles import Trouble, complaint
from steer_engine.schema import JsonObject, JsonValue

_ENDS = {"max_tokens": "length", "model_length": "length"}  # names that some give to them


@dataclass(frozen=True, slots=True)
class Wire:
    """`url` is where questions go, `body` what is sent, and `read` takes a part of the reply.

    `read` raises `Trouble` if that is an error.
    """

    url: Callable[[Address], str]
    body: Callable[[str, Question, Manner], JsonObject]
    read: Callable[[JsonValue], Piece]


def _chat_url(address: Address) -> str:
    return f"{address.api}/chat/completions"


def _chat_body(model: str, question: Question, manner: Manner) -> JsonObject:
    sampling = question.sampling
    body: JsonObject = {
        "model": model,
        "messages": _messages(question, manner),
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": sampling.temperature,
        "seed": sampling.seed,
        "logprobs": True,
        "top_logprobs": 1,
    }
    if question.max_tokens is not None:
        body[manner.budget] = question.max_tokens
    if sampling.top_p < 1:
        body["top_p"] = sampling.top_p
    if sampling.min_p > 0:
        body["min_p"] = sampling.min_p
    return body


def _read_chat(payload: JsonValue) -> Piece:
    _check(payload)
    choice = at(payload, "choices", 0)
    part = at(choice, "delta") if at(choice, "delta") is not None else at(choice, "message")
    end = text_at(choice, "finish_reason")
    return Piece(
        text=text_at(part, "content"),
        thoughts=text_at(part, "reasoning_content") or text_at(part, "reasoning"),
        tokens=read_tokens(list_at(choice, "logprobs", "content")),
        end=_ENDS.get(end, end),
        refusal=text_at(part, "refusal"),
        n_prompt_tokens=whole_at(payload, "usage", "prompt_tokens"),
    )


def _ollama_url(address: Address) -> str:
    return f"{address.root}/api/chat"


def _ollama_body(model: str, question: Question, manner: Manner) -> JsonObject:
    sampling = question.sampling
    options: JsonObject = {
        "temperature": sampling.temperature,
        "seed": sampling.seed,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "top_k": 0,
        "repeat_penalty": 1.0,
    }
    if question.max_tokens is not None:
        options["num_predict"] = question.max_tokens
    return {
        "model": model,
        "messages": _messages(question, manner),
        "stream": True,
        "options": options,
        "think": False,
        # A prompt that is too long is refused, and an answer ends where the context does.
        "truncate": False,
        "shift": False,
        "logprobs": True,
        "top_logprobs": 1,
    }


def _read_ollama(payload: JsonValue) -> Piece:
    _check(payload)
    end = text_at(payload, "done_reason")
    return Piece(
        text=text_at(payload, "message", "content"),
        thoughts=text_at(payload, "message", "thinking"),
        tokens=read_tokens(list_at(payload, "logprobs")),
        end=end or ("stop" if at(payload, "done") is True else ""),
        n_prompt_tokens=whole_at(payload, "prompt_eval_count"),
    )


def _messages(question: Question, manner: Manner) -> list[JsonValue]:
    return [{"role": m.role, "content": m.content} for m in manner.messages(question.messages)]


def _check(payload: JsonValue) -> None:
    if at(payload, "error") or text_at(payload, "object") == "error":
        words, named = complaint(payload)
        raise Trouble(f"the server broke off: {words or 'it gave no reason'}", named=named)


CHAT = Wire(_chat_url, _chat_body, _read_chat)
OLLAMA = Wire(_ollama_url, _ollama_body, _read_ollama)
