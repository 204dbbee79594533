"""What is known of each kind of server."""

from __future__ import annotations

from dataclasses import dataclass, field

from steer_engine.remote import ways
from steer_engine.remote.ways import Way
from steer_engine.remote.wires import CHAT, OLLAMA, Wire
from steer_engine.schema import JsonObject

_NO_THINKING: JsonObject = {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}}
# Servers have defaults of their own for what is not said; here a temperature means just that.
_PURE: JsonObject = {"top_k": 0, "min_p": 0.0, "top_p": 1.0}


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of server.

    `ways` are tried in order, and `remedy` is the advice where none holds. `n_parallel` requests
    are in flight at a time. `defaults` is part of each request that does not say otherwise, and
    `thoughtless` of each that is to be answered without thinking first. A server that `is_strict`
    takes no schema outside of its subset.
    """

    name: str
    ways: tuple[Way, ...] = (ways.json_schema, ways.json_object)
    remedy: str = "a server that holds answers to a schema is llama-server, vLLM, SGLang or Ollama"
    n_parallel: int = 8
    wire: Wire = CHAT
    is_strict: bool = False
    defaults: JsonObject = field(default_factory=dict)
    thoughtless: JsonObject = field(default_factory=dict)


UNKNOWN = Profile("the server")

LLAMA_SERVER = Profile(
    "llama-server",
    ways=(ways.json_schema, ways.json_object, ways.grammar, ways.llguidance),
    remedy="a newer llama.cpp does",
    defaults=_PURE,
    thoughtless=_NO_THINKING,
)
LLAMAFILE = Profile(
    "llamafile",
    ways=(ways.json_schema, ways.json_object, ways.grammar),
    remedy="a newer llamafile does",
    defaults=_PURE,
)
LLAMA_CPP_PYTHON = Profile(
    "llama_cpp.server",
    # A schema in OpenAI's words is an error there, and a Lark grammar ends the process.
    ways=(ways.json_object, ways.grammar),
    remedy="name the .gguf file itself, or use llama-server",
    n_parallel=1,  # a second request breaks off the first
    defaults=_PURE,
)
VLLM = Profile(
    "vLLM",
    ways=(ways.json_schema, ways.structured_outputs, ways.guided),
    remedy="vLLM from 0.12 on does, where structured outputs are not switched off",
    n_parallel=64,
    defaults=_PURE,
    thoughtless=_NO_THINKING,
)
SGLANG = Profile(
    "SGLang",
    ways=(ways.json_schema, ways.sglang),
    remedy="start it with --grammar-backend xgrammar or llguidance",
    n_parallel=64,
    defaults={"top_k": -1, "min_p": 0.0, "top_p": 1.0},
    thoughtless=_NO_THINKING,
)
OLLAMA_SERVER = Profile(
    "Ollama",
    ways=(ways.ollama_format,),
    remedy="Ollama from 0.5 on does for GGUF models, and newer ones for MLX models, too",
    wire=OLLAMA,
)
LM_STUDIO = Profile(
    "LM Studio",
    ways=(ways.json_schema,),
    remedy="update LM Studio and its runtimes, or load the model as GGUF",
)
TEXT_GENERATION_WEBUI = Profile(
    "text-generation-webui",
    ways=(ways.json_schema, ways.grammar_string),
    remedy="load the model with a loader that takes grammars (llama.cpp, ExLlama, Transformers)",
)
MLX_LM = Profile(
    "mlx_lm.server",
    remedy="it cannot; open the model's folder itself: %steer use FOLDER",
)
OPENAI = Profile("OpenAI", ways=(ways.json_schema,), is_strict=True)
