"""What `%steer plan` says of machines that this one is not."""

import pytest

from steer_engine.backends import llamacpp_devices
from steer_engine.models import embedded_path
from steer_engine.plan import Device, Machine
from steermagic.catalogue_view import models_lines, plan_lines
from steermagic.errors import CommandError

MB = 10**6


@pytest.fixture
def machine(monkeypatch):
    """Makes this machine another one."""
    return lambda *found: monkeypatch.setattr(
        llamacpp_devices, "read_machine", lambda: Machine(*found)
    )


def plan(line=""):
    return list(plan_lines(line, {}, "embedded"))


def test_a_gpu_that_takes_all_is_told(machine):
    machine(1000 * MB, (Device("CUDA0", 500 * MB),))
    lines = plan()
    assert lines[1].startswith("fits: needs ")
    assert lines[2].startswith("memory: ")
    assert lines[3].startswith("GPU memory: ")
    assert lines[-1] == "GPU: CUDA0; all of 10 layers"


def test_a_gpu_that_takes_a_part_is_told(machine):
    machine(1000 * MB, (Device("CUDA0", 30 * MB), Device("CUDA1", 1 * MB)))
    assert plan("embedded --ctx 512")[-1] in [
        f"GPU: CUDA0, CUDA1; {n} of 10 layers" for n in range(1, 10)
    ]


def test_what_would_make_it_faster_is_told(machine):
    machine(1000 * MB, (), frozenset(), "compile it anew")
    assert plan()[-1] == "faster: compile it anew"


def test_what_does_not_fit_says_what_would(machine):
    machine(300 * MB)
    lines = plan("'embedded' --ctx 32768 --slots 4")
    assert lines[1].startswith("does not fit: needs ")
    assert "270 MB free: try --ctx 3072" in lines[1]
    assert lines[3].startswith("context: 32768 tokens")
    assert lines[3].endswith("there is room for 3072")


@pytest.mark.parametrize("line", ["embedded --ctx", "--slots x", "--ctx 0", "a b", "--all"])
def test_a_line_that_cannot_be_read_says_how_to_write_it(line):
    with pytest.raises(CommandError, match=r"needs a whole number, as in|write %steer plan MODEL"):
        plan(line)


@pytest.mark.parametrize("quote", "'\"")
def test_a_path_may_have_blanks(quote, tmp_path):
    file = tmp_path / "two words.gguf"
    file.symlink_to(embedded_path())
    assert plan(f"{quote}{file}{quote} --ctx 512")[0] == f"{file} ({plan()[0][10:]}"
    with pytest.raises(CommandError, match="a quotation mark is never closed: %steer plan "):
        plan(f"{quote}{file}")


def test_the_models_are_listed_with_how_to_name_others(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("HF_HUB_CACHE", "OLLAMA_MODELS", "LLAMA_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    lines = list(models_lines({"a": "b"}, {}))
    assert lines[:3] == [
        "comes with steermagic:",
        "    embedded  llama · 22.3M parameters · Q8_0 · 24 MB · reads 2048 tokens",
        "a: alias of b",
    ]
    assert "owner/repo[:Q4_K_M]" in lines[-1]
