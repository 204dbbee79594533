"""What servers are told apart by, and which model is meant."""

import asyncio
import json

import pytest

from stand_in import Said, as_json, told
from steer_engine import ModelError, ModelInfo, Request, RowDone, compose, open_engine, read_schema
from steer_engine.remote import RemoteEngine
from steer_engine.remote.address import read_address
from steer_engine.remote.client import Reply
from steer_engine.remote.discovery import discover
from steer_engine.remote.profiles import OPENAI

KINDS = {
    "vLLM": {"models": [{"id": "q", "owned_by": "vllm", "max_model_len": 4096}]},
    "SGLang": {"models": [{"id": "q", "owned_by": "sglang", "max_model_len": 8}]},
    "llama-server": {
        "models": [{"id": "/m/q.gguf", "owned_by": "llamacpp", "meta": {"n_ctx": 512}}],
        "pages": {"/props": as_json({"total_slots": 3})},
        "name": "llama.cpp",
    },
    "llamafile": {"name": "llamafile/0.9"},
    "Ollama": {
        "models": [{"id": "q:latest", "owned_by": "library"}],
        "pages": {
            "/api/tags": as_json({"models": [{"name": "q:latest", "digest": "abc", "size": 7}]})
        },
    },
    "LM Studio": {
        "pages": {
            "/api/v0/models": as_json(
                {"data": [{"id": "tiny", "state": "loaded", "loaded_context_length": 99}]}
            )
        }
    },
    "text-generation-webui": {
        "models": [{"id": "other"}, {"id": "tiny"}],
        "pages": {"/v1/internal/model/info": as_json({"model_name": "tiny"})},
    },
    "mlx_lm.server": {"name": "BaseHTTP/0.6 Python/3.11"},
    "the server": {},
}
SCHEMA = read_schema("name: str")


@pytest.fixture
def info_of(stand_in, engine_at):
    def info(kind, suffix="") -> ModelInfo:
        return engine_at(stand_in("", **KINDS[kind]), suffix).info

    return info


@pytest.mark.parametrize("kind", KINDS)
def test_servers_are_known_by_what_they_say(info_of, kind):
    assert info_of(kind).architecture == kind


def test_what_servers_tell_of_a_model(info_of):
    assert info_of("vLLM").context_length == 4096
    assert info_of("llama-server").context_length == 512
    assert info_of("llama-server").name == "q"
    assert info_of("LM Studio").context_length == 99
    ollama = info_of("Ollama")
    assert (ollama.name, ollama.size_bytes) == ("q:latest", 7)
    assert ollama.path.endswith("#q:latest")


def test_a_fingerprint_is_that_of_the_model_and_stays(stand_in, engine_at):
    server = stand_in("", models=[{"id": "a", "created": 1}, {"id": "b", "created": 2}])
    prints = [engine_at(server, f"#{name}").info.fingerprint for name in "aab"]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    ("suffix", "words"),
    [
        ("", "has several models; write http://127.0.0.1"),
        ("#mistral", "has no model 'mistral'; it has org/qwen-7b:latest, org/llama"),
        ("#qwen-8b:latest", "did you mean #org/qwen-7b:latest?"),
        ("#org/llama?parallel=2", "behind the ? in front of the #: http://127.0.0.1"),
    ],
)
def test_a_model_that_is_not_clear_is_asked_for(stand_in, engine_at, suffix, words):
    server = stand_in("", models=[{"id": "org/qwen-7b:latest"}, {"id": "org/llama"}])
    with pytest.raises(ModelError) as caught:
        engine_at(server, suffix)
    assert words in str(caught.value)


def test_a_long_list_is_shortened(stand_in, engine_at):
    server = stand_in("", models=[{"id": f"m{n}"} for n in range(30)])
    with pytest.raises(ModelError, match="m11 and 18 more"):
        engine_at(server)


@pytest.mark.parametrize("name", ["org/qwen-7b:latest", "org/qwen-7b", "qwen-7b:latest"])
def test_a_model_may_be_named_in_short(stand_in, engine_at, name):
    server = stand_in("", models=[{"id": "org/qwen-7b:latest"}, {"id": "org/llama"}])
    assert engine_at(server, f"#{name}").info.path.endswith("#org/qwen-7b:latest")


def test_a_whole_name_goes_before_a_short_one(stand_in, engine_at):
    server = stand_in("", models=[{"id": "a/llama"}, {"id": "llama"}])
    assert engine_at(server, "#llama").info.path.endswith("#llama")


def test_a_short_name_of_several_models_is_not_clear(stand_in, engine_at):
    server = stand_in("", models=[{"id": "a/llama"}, {"id": "b/llama"}, {"id": "qwen"}])
    with pytest.raises(ModelError) as caught:
        engine_at(server, "#llama")
    said = str(caught.value)
    assert "has several models called 'llama'" in said
    assert said.endswith("#NAME with one of a/llama, b/llama")


def test_a_server_without_a_list_takes_the_name_that_is_given(stand_in, engine_at):
    server = stand_in("", pages={"/v1/models": as_json({"detail": "Not Found"}, 404)})
    assert engine_at(server, "#mine").info.name == "mine"
    with pytest.raises(ModelError, match="the server answers 404: Not Found"):
        engine_at(server)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (as_json({"data": []}), "serves no model"),
        (as_json([1]), "serves no model"),
        (Said(b"<html>"), "the server's reply is not JSON: '<html>'"),
        (as_json({"error": "who are you"}, 401), "set the environment variable STEERMAGIC_API_KEY"),
        (Said(b"", 302, headers={"location": "http://[broken"}), "redirects to what is no address"),
    ],
)
def test_a_server_that_does_not_tell_its_models_cannot_be_used(stand_in, engine_at, page, words):
    with pytest.raises(ModelError) as caught:
        engine_at(stand_in("", pages={"/v1/models": page}))
    assert words in str(caught.value)


def test_an_address_opens_an_engine(stand_in):
    with open_engine(stand_in("").url) as engine:
        assert isinstance(engine, RemoteEngine)
        assert engine.info.name == "tiny"


def test_llama_servers_slots_are_how_many_rows_it_gets(stand_in, engine_at):
    server = stand_in("", **KINDS["llama-server"])
    assert engine_at(server).n_parallel == 3
    assert engine_at(server, "?parallel=5").n_parallel == 5
    assert engine_at(stand_in("", **KINDS["vLLM"])).n_parallel == 64
    assert engine_at(stand_in("")).n_parallel == 8


def test_openai_is_known_by_its_address_and_asked_nothing_else():
    asked = []

    class Client:
        async def get(self, url):
            asked.append(url)
            return Reply({"data": [{"id": "gpt-x", "owned_by": "system"}, {"id": "gpt-y"}]}, {})

    served = asyncio.run(discover(Client(), read_address("https://api.openai.com#gpt-x")))
    assert served.profile.name == OPENAI.name
    assert served.profile.is_strict
    assert asked == ["https://api.openai.com/v1/models"]


# --- how each kind is asked ---


def body_sent_to(kind, stand_in, engine_at, **options):
    """What is sent to a server of that kind for one row."""
    options = {"answer": '{"name": "Ada"}', **KINDS[kind], **options}
    server = stand_in(options.pop("answer"), **options)
    request = Request(0, compose("Who?", SCHEMA), SCHEMA)
    *_, end, _ = engine_at(server).run([request])
    assert isinstance(end, RowDone)
    return server.questions[0].body


def test_local_servers_sample_from_the_whole_distribution(stand_in, engine_at):
    body = body_sent_to("vLLM", stand_in, engine_at)
    assert (body["top_k"], body["min_p"], body["top_p"]) == (0, 0.0, 1.0)
    assert body["chat_template_kwargs"]["enable_thinking"] is False
    assert "top_k" not in body_sent_to("the server", stand_in, engine_at)


def test_ollama_is_asked_in_its_own_words(stand_in, engine_at):
    def answer(asked, _):
        assert asked.path == "/api/chat"
        parts = (
            {"message": {"content": told(asked, '{"name": "Ada"}')}, "done": False},
            {"message": {"content": ""}, "done": True, "done_reason": "stop"},
        )
        lines = "".join(f"{json.dumps(part)}\n" for part in parts)
        return Said(lines.encode(), kind="application/x-ndjson")

    body = body_sent_to("Ollama", stand_in, engine_at, answer=answer)
    assert body["format"]["required"] == ["name"]
    assert (body["options"]["num_predict"], body["options"]["temperature"]) == (1024, 0)
    assert (body["truncate"], body["shift"], body["think"]) == (False, False, False)


def test_vllm_counts_the_tokens_of_a_prompt(stand_in, engine_at):
    kind = {**KINDS["vLLM"], "pages": {"/tokenize": as_json({"count": 42})}}
    engine = engine_at(stand_in("", **kind))
    request = Request(0, compose("Who?", SCHEMA), SCHEMA)
    assert engine.count_tokens(request) == 42
    assert engine.render(request).endswith("user: Who?")
    assert engine_at(stand_in("", **KINDS["vLLM"])).count_tokens(request) is None
