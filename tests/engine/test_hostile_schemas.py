import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acceptance.hostile_schemas import REMOTE, SCHEMAS
from acceptance.strategies import BROKEN, SOUND
from steer_engine.backends.fake import FakeBackend
from steer_engine.errors import DefectError, SteerError
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask, unpack_mask
from steer_engine.schema import read_schema

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def outcomes():
    """What came of every hostile schema, each tried in a process with limits of its own."""
    reply = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "acceptance" / "hostile.py")],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "engine")},
    )
    return {each["name"]: each for each in map(json.loads, reply.stdout.splitlines())}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_hostile_schema_has_an_answer_or_a_clear_refusal(name, outcomes):
    # Out of memory or out of time would have ended the process that tried it.
    outcome = outcomes[name]
    assert outcome["outcome"] in ("answer", "refused"), outcome["message"]
    assert "\n" not in outcome["message"]


def test_no_schema_opens_a_socket(outcomes):
    assert [name for name, outcome in outcomes.items() if outcome["sockets"]] == []


@pytest.mark.parametrize("name", sorted(REMOTE))
def test_what_is_not_in_the_schema_is_never_fetched(name, outcomes):
    assert outcomes[name]["outcome"] == "refused"


@pytest.fixture(scope="module")
def compiler():
    return GrammarCompiler(FakeBackend().vocabulary)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(document=SOUND | BROKEN, data=st.data())
def test_any_schema_is_refused_clearly_or_can_be_written(document, data, compiler):
    vocabulary = FakeBackend().vocabulary
    try:
        matcher = compiler.compile(read_schema(document)).matcher()
    except DefectError:
        raise
    except SteerError:
        return
    mask = allocate_mask(vocabulary.vocab_size)
    for _ in range(6):
        matcher.fill_mask(mask)
        allowed = unpack_mask(mask, vocabulary.vocab_size).nonzero()[0].tolist()
        token = data.draw(st.sampled_from(allowed)) if allowed else vocabulary.eos_id
        if token in vocabulary.eos_ids:
            return
        matcher.accept(token)
