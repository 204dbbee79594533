"""What the backends of models in the form of the Hugging Face hub have to show alike."""

import subprocess
import sys

import numpy as np

from steer_engine import Request, RowDone, compose, open_engine, read_schema
from steer_engine.backends import Run
from steer_engine.backends.replaying import ReplayingBackend
from steer_engine.backends.row_by_row import RowNetwork
from steer_engine.catalogue import GgufModel, read_facts
from steer_engine.models import embedded_path

SMALL = {
    "vocab_size": read_facts(GgufModel((embedded_path(),))).vocab_size,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
    "eos_token_id": 4,
}
TOKENS = [(7 * i * i + 11) % 2000 for i in range(40)]


def network_of(backend):
    slotted = backend._backend if isinstance(backend, ReplayingBackend) else backend
    return type(slotted._network)


def story(backend):
    """Return the logits of some calls that have rows of several lengths, trims and forks."""
    backend.reserve(n_slots=4, n_tokens=300)
    backend.forward([Run(3, TOKENS[:12], n_logits=0)])
    for slot, n_tokens in enumerate((7, 12, 12)):
        backend.fork(3, slot, n_tokens)
    logits = backend.forward([Run(2, TOKENS[:30]), Run(0, TOKENS[3:23], 5), Run(1, TOKENS[:28], 3)])
    backend.trim(1, 3)
    backend.trim(0, 11)
    logits += backend.forward([Run(slot, TOKENS[slot : slot + 2], 2) for slot in (0, 1, 2)])
    logits += backend.forward([Run(0, [5]), Run(2, [6])])
    return np.concatenate(logits)


def assert_reads_again(backend):
    """Rows are run one by one; what is trimmed and forked is read anew, with the same result."""
    assert isinstance(backend, ReplayingBackend)
    assert network_of(backend) is RowNetwork
    backend.reserve(n_slots=2, n_tokens=99)
    [expected] = backend.forward([Run(0, TOKENS[:9])])
    backend.trim(0, 4)
    backend.fork(0, 1, 3)
    [trimmed, forked] = backend.forward([Run(0, TOKENS[5:9]), Run(1, TOKENS[3:9])])
    assert np.allclose(expected, trimmed, atol=1e-4)
    assert np.allclose(expected, forked, atol=1e-4)


def assert_answers_as_llama_cpp(model, **settings):
    """`model`, which is the embedded one in another form, answers as it does in llama.cpp."""
    # What is told beyond doubt: between two labels as likely, rounding would decide.
    schema = read_schema('name: str, amount: float, currency: "EUR" | "USD"')
    texts = ["Maria paid 12.50 EUR and loves it!", "Jo paid 7 USD and it broke at once."]
    requests = [Request(row, compose(text, schema), schema) for row, text in enumerate(texts)]

    def answers(name, **settings):
        with open_engine(name, **settings) as engine:
            assert engine.info.embedded
            assert engine.info.path == str(embedded_path())
            return {e.row: e.record for e in engine.run(requests) if isinstance(e, RowDone)}

    found = answers(model, **settings)
    assert len(found) == len(texts)
    assert found == answers("embedded")


def assert_opens_silently(model):
    """Nothing is written to stdout or stderr."""
    code = f"from steer_engine import open_engine; open_engine({model!r}).close()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
