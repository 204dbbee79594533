"""The ways in which servers are told which answers are valid.

A way is a function from a form to what is added to the request, or None where it cannot say it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from steer_engine.schema import JsonObject, JsonSchema
from steer_engine.text_forms import Choices, GbnfGrammar, LarkGrammar, Regex, TextForm, lark_of


@dataclass(frozen=True, slots=True)
class JsonForm:
    """The answer is JSON of a schema; `is_strict` is false for one outside of strict subsets."""

    document: JsonSchema
    is_strict: bool = True


Form: TypeAlias = JsonForm | TextForm
Way: TypeAlias = "Callable[[Form], JsonObject | None]"


def json_schema(form: Form) -> JsonObject | None:
    """OpenAI's way, which most servers have taken over."""
    if not isinstance(form, JsonForm):
        return None
    said: JsonObject = {"name": "answer", "strict": form.is_strict, "schema": form.document}
    return {"response_format": {"type": "json_schema", "json_schema": said}}


def json_object(form: Form) -> JsonObject | None:
    """That of llama_cpp.server, and of llama.cpp's earlier servers."""
    if not isinstance(form, JsonForm):
        return None
    return {"response_format": {"type": "json_object", "schema": form.document}}


def structured_outputs(form: Form) -> JsonObject | None:
    """That of vLLM."""
    match form:
        case JsonForm(document):
            return {"structured_outputs": {"json": document}}
        case Regex(pattern):
            return {"structured_outputs": {"regex": pattern}}
        case Choices(options):
            return {"structured_outputs": {"choice": [*options]}}
        case GbnfGrammar(text) | LarkGrammar(text):
            return {"structured_outputs": {"grammar": text}}


def guided(form: Form) -> JsonObject | None:
    """That of vLLM before 0.12; later ones ignore it."""
    match form:
        case JsonForm(document):
            return {"guided_json": document}
        case Regex(pattern):
            return {"guided_regex": pattern}
        case Choices(options):
            return {"guided_choice": [*options]}
        case GbnfGrammar(text) | LarkGrammar(text):
            return {"guided_grammar": text}


def sglang(form: Form) -> JsonObject | None:
    """That of SGLang for what is no JSON."""
    match form:
        case Regex(pattern):
            return {"regex": pattern}
        case GbnfGrammar(text):
            return {"ebnf": text}
        case _:
            return None


def grammar(form: Form) -> JsonObject | None:
    """GBNF, as llama.cpp's servers take it."""
    text = _gbnf(form)
    return None if text is None else {"grammar": text}


def grammar_string(form: Form) -> JsonObject | None:
    """GBNF, as text-generation-webui takes it."""
    text = _gbnf(form)
    return None if text is None else {"grammar_string": text}


def llguidance(form: Form) -> JsonObject | None:
    """A Lark grammar, for a llama.cpp that was built with llguidance. Others may crash."""
    if isinstance(form, JsonForm):
        return None
    return {"grammar": f"%llguidance {{}}\n{lark_of(form)}"}


def ollama_format(form: Form) -> JsonObject | None:
    """That of Ollama."""
    return {"format": form.document} if isinstance(form, JsonForm) else None


def _gbnf(form: Form) -> str | None:
    match form:
        case GbnfGrammar(text):
            return text
        case Choices(options):
            return (
                f"root ::= {' | '.join(json.dumps(each, ensure_ascii=False) for each in options)}"
            )
        case JsonForm(document):
            from llama_cpp.llama_grammar import json_schema_to_gbnf

            text = json.dumps(document, ensure_ascii=False)
            try:
                return str(json_schema_to_gbnf(text))
            except Exception:  # noqa: BLE001 - its converter raises whatever comes
                return None
        case _:
            return None
