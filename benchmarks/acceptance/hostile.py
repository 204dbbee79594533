"""Schemas that are meant to hurt. Each must have an answer or a clear refusal, soon and in little.

    python benchmarks/acceptance/hostile.py [NAME ...]

Prints one JSON object a schema: what came of it, the processor time and the memory it took.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from acceptance.hostile_schemas import SCHEMAS
from acceptance.workers import in_workers
from steer_engine.backends.fake import FakeBackend
from steer_engine.errors import DefectError, SteerError
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask, unpack_mask
from steer_engine.matcher import Matcher
from steer_engine.schema import read_schema
from steer_engine.vocabulary import Vocabulary

_ENDS_S = 60.0  # of processor time: what takes as long hangs; meant is a sixth of it
MAX_BYTES = 1 << 30
_N_TOKENS = 60
_FAVOURITE = b"a"  # what the patterns among them choke on


def main() -> None:
    """Try the schemas named on the command line, or all."""
    vocabulary = FakeBackend().vocabulary
    compiler = GrammarCompiler(vocabulary)
    for name in sys.argv[1:] or SCHEMAS:
        # A worker for each, so that none finds the memory of another.
        [outcome] = in_workers(
            partial(try_schema, compiler, vocabulary),
            [name],
            lost=lambda _, reason: {"outcome": "lost", "message": reason},
            limit_s=_ENDS_S,
            spare_bytes=MAX_BYTES,
        )
        print(json.dumps({"name": name, **outcome}), flush=True)


def try_schema(compiler: GrammarCompiler, vocabulary: Vocabulary, name: str) -> dict[str, object]:
    """Read, compile and use a schema; return what came of it."""
    sockets: list[str] = []
    sys.addaudithook(lambda event, _: sockets.append(event) if "socket" in event else None)
    source = SCHEMAS[name]()
    start, start_mb = time.process_time(), _peak_mb()
    outcome, message = "answer", ""
    try:
        grammar = compiler.compile(read_schema(source))
        message = write(grammar.matcher(), vocabulary).decode("utf-8", "replace")[:80]
    except DefectError as error:
        outcome, message = "defect", str(error)
    except SteerError as error:
        outcome, message = "refused", f"{type(error).__name__}: {error}"
    return {
        "outcome": outcome,
        "message": message,
        "sockets": sockets,
        "seconds": round(time.process_time() - start, 3),
        "mb": round(_peak_mb() - start_mb),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write(matcher: Matcher, vocabulary: Vocabulary) -> bytes:
    """Return what a random writer with a favourite token writes in `_N_TOKENS` tries.

    Raises:
        DefectError: nothing can be written at all.
    """
    rng, written = random.Random(0), b""  # noqa: S311 - a random text, no secret
    mask = allocate_mask(vocabulary.vocab_size)
    for _ in range(_N_TOKENS):
        matcher.fill_mask(mask)
        allowed = unpack_mask(mask, vocabulary.vocab_size).nonzero()[0].tolist()
        if not allowed and not written and not matcher.is_accepting:
            raise DefectError("the grammar was compiled, and no token can begin a value of it")
        if not allowed:
            break
        favourite = vocabulary.spellings.index(_FAVOURITE)
        token = favourite if favourite in allowed and rng.random() < 0.8 else rng.choice(allowed)
        if token in vocabulary.eos_ids:
            break
        if matcher.accept(token):
            written += vocabulary.spellings[token]
        else:
            matcher.examine()
    return written


if __name__ == "__main__":
    main()
