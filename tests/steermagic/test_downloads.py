"""The note and the bar of a download, and a model of a hub in a real shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from IPython.utils.capture import capture_output

from hub_stand_in import HubStandIn
from model_stores import cached_repo, folder_files, pulled, small
from steer_engine import ModelError
from steer_engine.catalogue import Download, HubModel, Progress
from steer_engine.catalogue.hub import HubFile
from steer_engine.models import embedded_path
from steermagic import downloads
from steermagic.downloads import DownloadLine
from steermagic.errors import CellError
from steermagic.magics import SteerMagic
from steermagic.session import shared_session

FILES = (HubFile("m.gguf", 400_000_000, "0" * 64),)
DOWNLOAD = Download(HubModel("o/r", "Q8_0"), "", FILES, Path("/cache/models--o--r"))
NOTE = "note: downloading o/r:Q8_0, 400 MB, to /cache/models--o--r (once)"


@pytest.fixture
def shown(monkeypatch):
    shown = []
    monkeypatch.setattr(downloads, "_show", lambda text, _, updates: shown.append((text, updates)))
    return shown


def test_a_download_says_what_it_is_then_how_far_it_is(shown):
    now = [0.0]
    line = DownloadLine(lambda: now[0])
    line(Progress(DOWNLOAD))
    for now[0], n_done in [(0.1, 10), (0.6, 100), (10.1, 200), (10.2, 210), (30.1, 400)]:
        line(Progress(DOWNLOAD, n_done * 10**6))
    assert shown == [
        (NOTE, False),
        (f"{NOTE}\n█████░░░░░░░░░░░░░░░ 25 %", True),
        (f"{NOTE}\n██████████░░░░░░░░░░ 50 % · 19.0 MB/s · 11 s left", True),
        (f"{NOTE}\n████████████████████ 100 % · 13.0 MB/s", True),
    ]


def test_a_server_that_sends_all_of_it_again_is_timed_from_there(shown):
    """The rest of the download had a speed below 0."""
    now = [0.0]
    line = DownloadLine(lambda: now[0])
    for now[0], n_done in [(1.0, 300), (2.0, 10), (12.0, 60)]:
        line(Progress(DOWNLOAD, n_done * 10**6))
    assert shown[-1][0].endswith(" 15 % · 5.0 MB/s · 68 s left")


def test_a_download_leaves_the_note_of_an_earlier_one(shell):
    """It wrote its own into the output of the earlier cell, too."""
    with capture_output() as captured:
        for line in (DownloadLine(), DownloadLine()):
            line(Progress(DOWNLOAD))
            line(Progress(DOWNLOAD, DOWNLOAD.n_bytes))
    first, again, second, _ = (each.transient["display_id"] for each in captured.outputs)
    assert first == again != second


def test_outside_a_notebook_only_the_note_is_printed(capsys, monkeypatch):
    monkeypatch.setattr(downloads, "get_ipython", lambda: None)
    line = DownloadLine()
    line(Progress(DOWNLOAD))
    line(Progress(DOWNLOAD, DOWNLOAD.n_bytes))
    assert capsys.readouterr().out == f"{NOTE}\n"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub that has the embedded model and a gated one; nothing is on this machine yet."""
    pytest.importorskip("huggingface_hub")
    hub = HubStandIn(
        {
            "tiny/model": {
                "tiny-Q8_0.gguf": embedded_path().read_bytes(),
                "tiny-Q4_0.gguf": small("other"),
            },
            "tiny/gated": {"m.gguf": small("m")},
        }
    )
    hub.refused["tiny/gated"] = (403, "GatedRepo")
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    for name, folder in [("LLAMA_CACHE", "llama"), ("OLLAMA_MODELS", "ollama"), ("HOME", "home")]:
        monkeypatch.setenv(name, str(tmp_path / folder))
    yield hub
    hub.close()


@pytest.fixture
def steer(shell, hub, monkeypatch):
    """Runs a line of `%steer` in a real shell whose session opens real models; returns its text."""
    session = shared_session()
    session.unload()
    shell.register_magics(SteerMagic(shell, session))
    monkeypatch.setattr(session, "settings", lambda: {"isolate": False})
    monkeypatch.setattr(session, "model", None)
    monkeypatch.setattr(session, "aliases", {})

    def run(line):
        with capture_output() as captured:
            outcome = shell.run_cell(f"%steer {line}".strip())
        outcome.raise_error()
        shown = [captured.stdout, *(each.data["text/plain"] for each in captured.outputs)]
        return "\n".join(shown).strip()

    yield run
    session.unload()


def refusal(steer, line):
    with pytest.raises(CellError) as caught:
        steer(line)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_model_of_the_hub_is_fetched_used_and_listed(steer, hub):
    used = steer("use tiny/model:Q8_0 --as tiny")
    assert used.startswith("note: downloading tiny/model:Q8_0, 24 MB, to ")
    assert "████████████████████ 100 %" in used
    assert "model in use: steermagic-tiny · llama · 22.3M parameters" in used
    assert steer("").startswith("model in use: tiny\nloaded: steermagic-tiny")
    listed = steer("models")
    cached = "tiny/model:Q8_0  llama · 22.3M parameters · Q8_0 · 24 MB"
    assert f"Hugging Face cache:\n    {cached}" in listed
    assert "tiny: alias of tiny/model:Q8_0" in listed
    n_asked = len(hub.tokens)
    steer("unload")
    steer("use tiny/model:Q8_0")
    assert len(hub.tokens) == n_asked  # it is here


def test_a_plan_of_a_model_of_the_hub_fetches_its_header_alone(steer, hub, tmp_path):
    plan = steer("plan tiny/model:Q8_0 --ctx 1024 --slots 4").splitlines()
    facts = "llama · 22.3M parameters · Q8_0 · 24 MB · reads 2048 tokens"
    assert plan[0] == f"tiny/model:Q8_0 ({facts})"
    assert plan[1].startswith("fits: needs ")
    assert plan[2].startswith("memory: ")
    assert plan[3].startswith("context: 1024 tokens, of all rows that are decoded together; there ")
    assert hub.ranges == ["bytes=0-262143"]
    assert not (tmp_path / "hub").exists()


def test_the_plan_of_the_model_in_use(steer):
    assert steer("plan").startswith("embedded (llama · 22.3M parameters · Q8_0 · 24 MB")
    steer("use embedded --as e")
    assert "there is room for" in steer("plan e")
    assert steer("plan llamacpp:embedded").startswith("llamacpp:embedded (llama")


def test_models_of_other_programs_are_listed_and_used(steer, tmp_path):
    pulled(tmp_path / "ollama", "library/tiny/latest", embedded_path().read_bytes())
    cached_repo(tmp_path / "hub", "o/folder", folder_files())
    cached_repo(tmp_path / "hub", "o/damaged", {"m.gguf": b"GGUF" + bytes(100)})
    listed = steer("models")
    assert "comes with steermagic:\n    embedded " in listed
    assert "Ollama:\n    ollama:tiny:latest    llama · 22.3M parameters" in listed
    assert "o/folder:safetensors  llama · 0.0M parameters · F16 · 0 MB · reads 2048" in listed
    assert "has GGUF version 0" in listed
    assert steer("use tiny").startswith("model in use: steermagic-tiny")
    assert "loaded: tiny (steermagic-tiny)" in steer("models")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("use tiny/modl", "tiny/modl is not on the hub, or is private (then set HF_TOKEN to your"),
        ("use tiny/model:Q2_K", "tiny/model has no Q2_K; it has Q4_0, Q8_0"),
        ("use tiny/gated", "tiny/gated is gated: accept its terms on its page, then set HF_TOKEN"),
        ("use embeded", "there is no model 'embeded'; did you mean 'embedded'?"),
        ("use nothing.gguf", "there is no model file nothing.gguf"),
        ("plan tiny/model --ctx", "--ctx needs a whole number, as in --ctx 4096"),
        ("plan tiny/model --ctx 0", "--ctx needs a whole number, as in --ctx 4096"),
        ("plan a b", "write %steer plan MODEL, with --ctx N or --slots N if you like"),
        ("plan --all", "write %steer plan MODEL, with --ctx N or --slots N if you like"),
        ("plan http://localhost:1", "http://localhost:1 is a server: it takes no memory here"),
    ],
)
def test_what_goes_wrong_is_one_line(steer, line, said):
    assert said in refusal(steer, line)


def test_a_name_close_to_one_that_is_here_is_suggested(steer, tmp_path):
    cached_repo(tmp_path / "hub", "tiny/mode", {"m.gguf": small("m")})
    assert refusal(steer, "use tiny/modes").endswith("; did you mean 'tiny/mode'?")


def test_off_line_nothing_is_fetched(steer, hub, monkeypatch):
    monkeypatch.setenv("STEERMAGIC_OFFLINE", "1")
    for command in ("use", "plan"):
        assert "tiny/model is not on this machine, and STEERMAGIC_OFFLINE or" in refusal(
            steer, f"{command} tiny/model"
        )
    assert hub.tokens == []


def test_what_does_not_fit_is_told_before_it_is_loaded(steer, monkeypatch):
    monkeypatch.setattr("steer_engine.backends.llamacpp_devices.free_memory", lambda: 50 * 10**6)
    said = refusal(steer, "use embedded")
    assert "steermagic-tiny.gguf needs " in said
    assert ", 45 MB free: free some memory, or use a model on a server" in said
    assert "does not fit: needs " in steer("plan embedded")


def test_a_server_has_no_files_here():
    from steer_engine.models import find_model

    with pytest.raises(ModelError, match="is a server, which has no files here"):
        find_model("http://localhost:1")
