"""The tokenizer: byte-level BPE whose merges never leave a run of ASCII letters.

A word has the same tokens wherever it stands, after a blank in the text or after a quote in the
JSON, and digits, blanks and punctuation are tokens of their own. This is what makes copying exact.
It also makes the tokens independent of how a runtime splits the text, as long as it does not split
inside a word.
"""

import argparse
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from embedded_training.corpus import example
from embedded_training.prompts import instruction
from embedded_training.randomness import HeldOut

TokenId = int
Encoder = Callable[[str], list[TokenId]]

SPECIALS = ("<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
PAD, SYSTEM, USER, ASSISTANT, END = range(len(SPECIALS))
VOCABULARY_SIZE = 2048
TOKENIZER_FILE = Path(__file__).parent / "tokenizer.json"

WORD_OR_SIGN = r"[A-Za-z]+|[^A-Za-z]"
_CACHED_WORDS = 400_000


def load_tokenizer(path: Path = TOKENIZER_FILE) -> Tokenizer:
    """Return a stored tokenizer."""
    return Tokenizer.from_file(str(path))


def make_encoder(tokenizer: Tokenizer) -> Encoder:
    """Return a function from text to tokens that remembers words. It reads no special tokens."""
    known: dict[str, list[TokenId]] = {}
    pieces = re.compile(WORD_OR_SIGN, re.DOTALL)

    def encode(text: str) -> list[TokenId]:
        ids: list[TokenId] = []
        for word in pieces.findall(text):
            tokens = known.get(word)
            if tokens is None:
                tokens = tokenizer.encode(word, add_special_tokens=False).ids
                if len(known) < _CACHED_WORDS:
                    known[word] = tokens
            ids += tokens
        return ids

    return encode


def train_tokenizer(*, n_examples: int) -> Tokenizer:
    """Return a new tokenizer for the corpus."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD_OR_SIGN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=list(SPECIALS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(n_examples), trainer)
    return tokenizer


def _texts(n_examples: int) -> Iterator[str]:
    for seed in range(n_examples):
        item = example(f"tokenizer {seed}", held_out=HeldOut())
        yield f"{instruction(item.schema)}\n{item.prompt}\n{item.answer}"


def main() -> None:
    """Train the tokenizer and store it beside this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=12_000)
    parser.add_argument("--out", type=Path, default=TOKENIZER_FILE)
    arguments = parser.parse_args()
    train_tokenizer(n_examples=arguments.examples).save(str(arguments.out))


if __name__ == "__main__":
    main()
