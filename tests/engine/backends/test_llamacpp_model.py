"""What identifies a model file."""

from __future__ import annotations

import shutil

import pytest

from steer_engine import ModelError
from steer_engine.backends.llamacpp_model import fingerprint

N_HEADER, N_WEIGHTS = 100_000, 2**26


@pytest.fixture
def large(tmp_path):
    """A file that has no room on the disk, but a size."""
    path = tmp_path / "model.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF")
        file.truncate(N_HEADER + N_WEIGHTS)
    return path


def with_byte(path, position):
    with path.open("r+b") as file:
        file.seek(position)
        file.write(b"x")
    return fingerprint(path, n_weights=N_WEIGHTS)


def test_it_is_that_of_the_content_wherever_the_file_is(large, tmp_path):
    before = fingerprint(large, n_weights=N_WEIGHTS)
    copy = shutil.copy(large, tmp_path / "other.gguf")
    assert fingerprint(copy, n_weights=N_WEIGHTS) == before
    assert len(bytes.fromhex(before)) == 32


@pytest.mark.parametrize(
    "position", [0, 4, N_HEADER - 1, N_HEADER, N_HEADER + 1000, N_HEADER + N_WEIGHTS // 2 + 100]
)
def test_it_changes_with_the_header_and_the_sampled_weights(position, large):
    before = fingerprint(large, n_weights=N_WEIGHTS)
    assert with_byte(large, position) != before


def test_it_changes_with_the_size(large):
    before = fingerprint(large, n_weights=N_WEIGHTS)
    with large.open("ab") as file:
        file.write(b"\0")
    assert fingerprint(large, n_weights=N_WEIGHTS + 1) != before


@pytest.mark.parametrize("position", [0, 70_000, 199_999])
def test_all_of_a_small_file_counts(position, tmp_path):
    path = tmp_path / "small.gguf"
    path.write_bytes(bytes(200_000))
    before = fingerprint(path, n_weights=150_000)
    with path.open("r+b") as file:
        file.seek(position)
        file.write(b"x")
    assert fingerprint(path, n_weights=150_000) != before


def test_a_file_whose_weights_are_in_others_is_read_as_a_header(tmp_path):
    path = tmp_path / "part-1-of-2.gguf"
    path.write_bytes(bytes(200_000))
    before = fingerprint(path, n_weights=10**9)
    path.write_bytes(bytes(199_999) + b"x")
    assert fingerprint(path, n_weights=10**9) != before


def test_a_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.gguf cannot be read: No such file"):
        fingerprint(tmp_path / "gone.gguf", n_weights=1)
