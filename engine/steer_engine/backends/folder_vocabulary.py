"""The vocabulary in a tokenizer.json, byte for byte.

llguidance reads the file: it knows byte-level BPE and SentencePiece with byte fallback, and puts no
space before a text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeGuard

from steer_engine.backends.folder import ModelFolder
from steer_engine.errors import ModelError
from steer_engine.vocabulary import TokenId, Vocabulary

if TYPE_CHECKING:
    from llguidance import LLTokenizer

# What ends a turn in chat formats; a model's settings often name the end of a text only.
_TURN_ENDS = frozenset(
    {"<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<end_of_turn>", "<turn|>", "<|return|>"}
    | {"<|endoftext|>", "<|end_of_text|>", "</s>"}
)


class _Added(TypedDict):
    """An entry of `added_tokens`."""

    id: TokenId
    content: str
    special: bool


class _Model(TypedDict):
    vocab: dict[str, TokenId] | list[tuple[str, float]]  # Unigram has pieces and their scores


class _Stated(TypedDict):
    """What of tokenizer.json is looked at."""

    added_tokens: list[_Added]
    model: _Model
    post_processor: object


def read_vocabulary(folder: ModelFolder, *, vocab_size: int) -> Vocabulary:
    """Return the vocabulary of a model whose logits have length `vocab_size`.

    Raises:
        ModelError: there is no tokenizer.json, or it is of an unknown kind.
    """
    file = folder.path / "tokenizer.json"
    stated = _read(file)
    added = stated["added_tokens"]
    special = [each for each in added if _is_special(each)]
    whole = _tokenizer(file, stated, vocab_size)
    plain = _tokenizer(file, _without(stated, special), vocab_size)
    named = {each["content"]: each["id"] for each in special if each["id"] < vocab_size}
    known = _known_ids(stated)
    unused = frozenset(range(vocab_size)) - known - {each["id"] for each in added}
    spellings = tuple(
        b"" if token in unused else _spelling(whole, token, is_known=token in known)
        for token in range(vocab_size)
    )
    eos_name = folder.named_token("eos_token")
    eos_ids = {token for token in folder.eos_ids if token < vocab_size}
    eos_ids |= {named[name] for name in {eos_name, *_TURN_ENDS} if name in named}
    if not eos_ids:
        raise ModelError(f"{folder.path} names no end-of-text token: it is not a text generator")
    bos = named.get(folder.named_token("bos_token") or "")
    return Vocabulary(
        spellings=spellings,
        eos_ids=frozenset(eos_ids),
        special_ids=frozenset(eos_ids | set(named.values()) | unused),
        eos_id=named.get(eos_name or "", min(eos_ids)),
        bos_id=bos,
        adds_bos=bos is not None and _adds_bos(folder, stated),
        tokenize_bytes=_Tokenize(whole, plain, frozenset(named.values())),
    )


def _read(file: Path) -> _Stated:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(
            f"{file.parent} has no tokenizer.json; write one with transformers'"
            " AutoTokenizer.from_pretrained(…).save_pretrained(…)"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file} cannot be read ({error}); fetch the file again") from error
    if not _is_tokenizer(found):
        raise ModelError(f"{file} has no vocabulary; fetch the file again")
    return found


def _is_tokenizer(found: object) -> TypeGuard[_Stated]:
    """Tell whether what is looked at is there; the rest is llguidance's to check."""
    match found:
        case {"added_tokens": list(added), "model": {"vocab": dict() | list()}}:
            return all(map(_is_added, added))
    return False


def _is_added(entry: object) -> bool:
    match entry:
        case {"id": int(), "content": str(), "special": bool()}:
            return True
    return False


def _is_special(added: _Added) -> bool:
    # Some models declare their control tokens as ordinary additions; ordinary text there (runs of
    # spaces, say) does not look like a tag.
    content = added["content"]
    return added["special"] or (content.startswith("<") and content.endswith(">"))


def _without(stated: _Stated, special: list[_Added]) -> _Stated:
    """Return a tokenizer to which the spellings of control tokens are text."""
    vocab = stated["model"]["vocab"]
    pieces = vocab.keys() if isinstance(vocab, dict) else {piece for piece, _ in vocab}
    added: list[_Added] = []
    for each in stated["added_tokens"]:
        if each not in special:
            added.append(each)
        elif each["content"] not in pieces:
            # Ids are counted on from the vocabulary's: its place must not stay empty.
            added.append({**each, "content": f"\ufdd0{each['id']}\ufdd1"})
    return {**stated, "added_tokens": added}


def _tokenizer(file: Path, stated: _Stated, vocab_size: int) -> LLTokenizer:
    from llguidance import LLTokenizer

    try:
        # The end token does not matter here: this one makes no masks.
        return LLTokenizer(json.dumps(stated), n_vocab=vocab_size, eos_token=0, slices=[])
    except ValueError as error:
        raise ModelError(
            f"{file} cannot be used ({error}); byte-level BPE and SentencePiece with byte fallback"
            " can"
        ) from error


def _known_ids(stated: _Stated) -> frozenset[TokenId]:
    """Return the tokens that the tokenizer itself makes, without those that were added."""
    vocab = stated["model"]["vocab"]
    ids = frozenset(vocab.values()) if isinstance(vocab, dict) else frozenset(range(len(vocab)))
    return ids - {each["id"] for each in stated["added_tokens"]}


def _spelling(tokenizer: LLTokenizer, token: TokenId, *, is_known: bool) -> bytes:
    spelling = tokenizer.decode_bytes([token])
    # llguidance marks control tokens by a byte 0xff before them, and takes it off here as well.
    return b"\xff" + spelling if is_known and tokenizer.is_special_token(token) else spelling


def _adds_bos(folder: ModelFolder, stated: _Stated) -> bool:
    """Tell whether the tokenizer puts the beginning token before a text."""
    said = folder.tokenizer.get("add_bos_token")
    if isinstance(said, bool):
        return said
    return _begins_with_special(stated.get("post_processor"))


def _begins_with_special(processor: object) -> bool:
    """Look into the template of a post-processor, or of those in a sequence."""
    if not isinstance(processor, dict):
        return False
    template = processor.get("single")
    if isinstance(template, list) and template:
        return "SpecialToken" in template[0]
    return any(map(_begins_with_special, processor.get("processors", ())))


@dataclass(frozen=True, slots=True)
class _Tokenize:
    whole: LLTokenizer
    plain: LLTokenizer
    control: frozenset[TokenId]

    def __call__(self, text: bytes, *, parse_special: bool) -> list[TokenId]:
        if parse_special:
            return self.whole.tokenize_bytes(text, parse_special=True)
        tokens = self.plain.tokenize_bytes(text)
        # In Unigram models the spelling of a control token is a piece like any other.
        if self.control.isdisjoint(tokens):
            return tokens
        return [part for token in tokens for part in self._apart(token)]

    def _apart(self, token: TokenId) -> list[TokenId]:
        if token not in self.control:
            return [token]
        spelling = self.whole.decode_bytes([token])
        return self.plain.tokenize_bytes(spelling[:1]) + self.plain.tokenize_bytes(spelling[1:])
