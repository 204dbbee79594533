"""The tokenizer: the first merges of SmolLM2's that join letters, with the blank before them.

Digits, punctuation and line breaks are tokens of their own, so that a value is copied sign by sign
and its tokens end where it ends. Words keep the tokens that the pretrained layers know. The tokens
do not depend on how a runtime splits the text, as long as it does not split inside a word.
"""

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

TokenId = int
Encoder = Callable[[str], list[TokenId]]

SPECIALS = ("<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
PAD, SYSTEM, USER, ASSISTANT, END = range(len(SPECIALS))
VOCABULARY_SIZE = 4096
TOKENIZER_FILE = Path(__file__).parent / "tokenizer.json"

WORD_OR_SIGN = r" ?[A-Za-z]+|[^A-Za-z]"
_WORD_IN_BYTES = re.compile("Ġ?[A-Za-z]+")  # byte-level BPE writes a blank as Ġ
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


def shortened(merges: Sequence[str], *, size: int = VOCABULARY_SIZE) -> Tokenizer:
    """Return a tokenizer of `size` tokens that knows the first of these merges, ``left right``."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate((*SPECIALS, *alphabet))}
    kept: list[tuple[str, str]] = []
    for merge in merges:
        left, right = merge.split(" ")
        if len(vocabulary) == size:
            break
        if _WORD_IN_BYTES.fullmatch(left + right) and left in vocabulary and right in vocabulary:
            kept.append((left, right))
            vocabulary.setdefault(left + right, len(vocabulary))
    tokenizer = Tokenizer(models.BPE(vocabulary, kept))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD_OR_SIGN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIALS))
    return tokenizer


def main() -> None:
    """Cut the tokenizer out of SmolLM2's and store it beside this module."""
    from gguf import GGUFReader

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("smollm2", type=Path, help="a GGUF file of SmolLM2")
    parser.add_argument("--out", type=Path, default=TOKENIZER_FILE)
    arguments = parser.parse_args()
    merges = GGUFReader(arguments.smollm2).fields["tokenizer.ggml.merges"].contents()
    shortened(merges).save(str(arguments.out))


if __name__ == "__main__":
    main()
