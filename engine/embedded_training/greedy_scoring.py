"""Scores a GGUF file the way it is used: greedy decoding in llama.cpp under the schema's grammar.

``python -m embedded_training.greedy_scoring steermagic-tiny.gguf --examples 100`` prints a table.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from llama_cpp import Llama
from llguidance import LLMatcher, LLTokenizer

from embedded_training.asking import Example
from embedded_training.evaluation_sets import SETS, evaluation_examples
from embedded_training.exactness import Score, score_answer
from embedded_training.layout import prompt_tokens
from embedded_training.schemas import JsonSchema
from embedded_training.tokenizer import END, TOKENIZER_FILE, Encoder, load_tokenizer, make_encoder

ONE_LINE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
MAX_TOKENS = 1024


class GreedyModel:
    """A model file with the grammar's view of its vocabulary."""

    def __init__(self, path: Path, *, n_threads: int) -> None:
        self._llama = Llama(
            str(path), n_ctx=2048, n_threads=n_threads, n_threads_batch=n_threads, verbose=False
        )
        tokenizer = TOKENIZER_FILE.read_text(encoding="utf-8")
        self._vocabulary = LLTokenizer(tokenizer, n_vocab=self._llama.n_vocab(), eos_token=END)
        self._decode = load_tokenizer().decode

    def answer(self, prompt: Sequence[int], schema: JsonSchema) -> str:
        """Return the answer; each token is the most likely one that the schema allows."""
        grammar = LLMatcher.grammar_from_json_schema(schema, overrides=ONE_LINE)
        matcher = LLMatcher(self._vocabulary, grammar)
        self._llama.reset()
        self._llama.eval(prompt)
        tokens: list[int] = []
        while len(tokens) < MAX_TOKENS and len(prompt) + len(tokens) < 2047:
            token = self._best_allowed(matcher)
            if token == END:
                break
            matcher.consume_token(token)
            tokens.append(token)
            self._llama.eval([token])
        return str(self._decode(tokens, skip_special_tokens=False))

    def _best_allowed(self, matcher: LLMatcher) -> int:
        mask = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.unpackbits(mask, bitorder="little")[: self._llama.n_vocab()].astype(bool)
        pointer = self._llama._ctx.get_logits()
        logits = np.ctypeslib.as_array(pointer, shape=(self._llama.n_vocab(),))
        return int(np.where(allowed, logits, -np.inf).argmax())


def score_set(model: GreedyModel, encode: Encoder, examples: Iterable[Example]) -> Score:
    """Return the score of a model on these examples."""
    score = Score()
    for item in examples:
        text = model.answer(prompt_tokens(item, encode), item.schema)
        score_answer(score, item.answer, _parsed(text), item.schema)
    return score


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:  # stopped at the limit of tokens
        return None


def as_table(scores: dict[str, Score]) -> str:
    """Return a Markdown table: kinds down, sets across, in percent of values."""
    kinds = sorted({kind for score in scores.values() for kind in score.asked})
    lines = ["| kind | " + " | ".join(scores) + " |", "|---" * (len(scores) + 1) + "|"]
    for kind in [*kinds, "all"]:
        cells = [_percent(score, kind) for score in scores.values()]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _percent(score: Score, kind: str) -> str:
    right = sum(score.right.values()) if kind == "all" else score.right[kind]
    asked = sum(score.asked.values()) if kind == "all" else score.asked[kind]
    return f"{100 * right / asked:.0f} ({asked})" if asked else "-"


def main() -> None:
    """Score the model of the command line and write a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--examples", type=int, default=100, help="of each set")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    model = GreedyModel(arguments.gguf, n_threads=arguments.threads)
    encode = make_encoder(load_tokenizer())
    scores = {
        name: score_set(model, encode, evaluation_examples(name, arguments.examples))
        for name in SETS
    }
    sys.stdout.write(as_table(scores) + "\n")


if __name__ == "__main__":
    main()
