import pytest

from steer_engine import ModelError
from steer_engine.remote.address import is_address, read_address


@pytest.mark.parametrize(
    ("text", "api", "root", "model"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1", "http://localhost:8000", None),
        ("http://localhost:8000/", "http://localhost:8000/v1", "http://localhost:8000", None),
        ("http://gpu:8000/v1/#qwen", "http://gpu:8000/v1", "http://gpu:8000", "qwen"),
        ("https://x.com#gpt-5", "https://x.com/v1", "https://x.com", "gpt-5"),
        ("HTTP://Host/openai#a/b:7b", "http://host/openai", "http://host/openai", "a/b:7b"),
        ("http://h/x/v1#a%20b", "http://h/x/v1", "http://h/x", "a b"),
        ("http://[::1]:80#m", "http://[::1]:80/v1", "http://[::1]:80", "m"),
    ],
)  # fmt: skip
def test_addresses(text, api, root, model):
    assert is_address(text)
    address = read_address(text)
    assert (address.api, address.root, address.model) == (api, root, model)


def test_options_of_an_address():
    address = read_address("http://h?parallel=3&timeout=2.5#m")
    assert (address.n_parallel, address.timeout_s, address.model) == (3, 2.5, "m")
    assert (read_address("http://h").n_parallel, read_address("http://h").timeout_s) == (None, 300)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://", "has no host; write http://host:port#model"),
        ("http://h:port", "cannot be read"),
        ("http://xn--a", "cannot be read"),
        ("http://ex\u2603\xe4.:80", "cannot be read"),
        ("http://h/\x7f", "cannot be read"),
        ("http://h\0", "cannot be read"),
        ("http://h?parallel=0", "a whole number of rows at a time, not '0'"),
        ("http://h?timeout=never", "a number of seconds, not 'never'"),
        ("http://h?timeout=-1", "a number of seconds, not '-1'"),
        ("http://h?timeout=inf", "a number of seconds, not 'inf'"),
    ],
)
def test_what_is_wrong_with_an_address_is_told(text, words):
    with pytest.raises(ModelError) as caught:
        read_address(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text", ["http://me:sk-1@h", "http://sk-1@h", "http://h?api_key=sk-1", "http://[sk-1", "http://h:sk-1"]
)  # fmt: skip
def test_a_secret_in_an_address_is_refused_and_not_repeated(text):
    with pytest.raises(ModelError) as caught:
        read_address(text)
    assert "sk-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.2", True), ("[::1]", True), ("10.0.0.1", False), ("h", False)],
)
def test_this_machine_is_known(host, expected):
    assert read_address(f"http://{host}").is_loopback is expected


@pytest.mark.parametrize("model", [None, "model.gguf", "./http/model.gguf", "ftp://host"])
def test_other_models_are_no_addresses(model):
    assert not is_address(model)
