import os

import pytest

from model_stores import COMMIT, cached_repo, folder_files, places_below, pulled, small, write
from steer_engine.catalogue import (
    FolderModel,
    GgufModel,
    HubModel,
    find_entries,
    read_facts,
    resolve,
)


@pytest.fixture
def places(tmp_path):
    return places_below(tmp_path)


def names(places):
    return [entry.names for entry in find_entries(places)]


def test_nothing_is_found_where_nothing_is(places):
    assert find_entries(places) == []


def test_the_hub_s_cache(places):
    files = {"m-Q8_0.gguf": small("8"), "m-Q4_K_M.gguf": small("4"), "README.md": b"#"}
    snapshot = cached_repo(places.hub, "owner/re--po", files)
    usual, other = find_entries(places)
    assert usual.names == ("owner/re--po:Q4_K_M", "owner/re--po:m-Q4_K_M.gguf", "owner/re--po")
    assert usual.source == GgufModel((snapshot / "m-Q4_K_M.gguf",))
    assert (usual.is_usual, other.is_usual) == (True, False)
    assert (usual.name, usual.store) == ("owner/re--po:Q4_K_M", "Hugging Face cache")
    assert usual.size_bytes == len(small("4"))
    assert read_facts(usual.source).name == "4"


def test_a_folder_of_safetensors_in_the_cache(places):
    files = folder_files()
    snapshot = cached_repo(places.hub, "owner/folder", files)
    (entry,) = find_entries(places)
    assert entry.names == ("owner/folder:safetensors", "owner/folder")
    assert entry.source == FolderModel(snapshot)
    assert entry.size_bytes == len(files["model.safetensors"])
    assert read_facts(entry.source).n_params == 4 * 8 + 16 * 8 + 8 + 4 * 8


def test_weights_in_the_cache_without_their_tokenizer_are_to_be_completed(places):
    files = folder_files()
    del files["tokenizer.json"]
    cached_repo(places.hub, "owner/folder", files)
    assert find_entries(places) == []
    assert resolve("owner/folder", places) == HubModel("owner/folder")


@pytest.mark.parametrize("ref", [None, "1" * 40, "../../elsewhere", "\x00"])
def test_a_cache_without_its_main_branch_has_the_newest_snapshot(places, ref):
    snapshot = cached_repo(places.hub, "o/r", {"a.gguf": small("new")}, ref=ref)
    older = write(snapshot.parent / ("0" * 40) / "a.gguf", small("old")).parent
    os.utime(older, (1, 1))
    (entry,) = find_entries(places)
    assert entry.source == GgufModel((snapshot / "a.gguf",))


def test_what_was_downloaded_from_an_earlier_commit_is_still_there(places):
    """It was hidden by the first download after a new commit."""
    new = cached_repo(places.hub, "o/r", {"m-Q8_0.gguf": small("8")})
    old = new.parent / ("0" * 40)
    for name in ("m-Q4_K_M.gguf", "m-Q8_0.gguf", *folder_files()):
        write(old / name, folder_files().get(name, small("old")))
    assert {entry.name: entry.source for entry in find_entries(places)} == {
        "o/r:Q8_0": GgufModel((new / "m-Q8_0.gguf",)),
        "o/r:Q4_K_M": GgufModel((old / "m-Q4_K_M.gguf",)),
        "o/r:safetensors": FolderModel(old),
    }


def test_a_download_that_has_only_begun_is_no_model(places):
    cached_repo(places.hub, "o/empty", {})
    write(places.hub / "models--o--begun" / "blobs" / "0.incomplete", b"GGUF")
    snapshot = cached_repo(
        places.hub, "o/parts", {"m-00001-of-00002.gguf": small("1"), "n.gguf": small("n")}
    )
    write(snapshot / "config.json", b"{}")
    write(snapshot / "model.safetensors.index.json", b'{"weight_map": {"a": "missing"}}')
    assert names(places) == [("o/parts:n.gguf", "o/parts")]
    (snapshot / "model.safetensors.index.json").write_text('{"weight')
    assert names(places) == [("o/parts:n.gguf", "o/parts")]


def test_all_parts_of_a_split_model_are_one(places):
    files = {f"q/m-Q8_0-0000{i}-of-00002.gguf": small(str(i)) for i in (1, 2)}
    snapshot = cached_repo(places.hub, "o/split", files)
    (entry,) = find_entries(places)
    assert entry.source == GgufModel(tuple(snapshot / name for name in sorted(files)))
    assert entry.size_bytes == sum(map(len, files.values()))
    assert entry.source.path == snapshot / "q/m-Q8_0-00001-of-00002.gguf"


def test_lm_studio_and_llama_cpp(places):
    write(places.lmstudio[0] / "owner" / "repo" / "m-Q4_K_M.gguf", small("l"))
    write(places.llamacpp / "owner_repo_m-Q4_0.gguf", small("c"))
    write(places.llamacpp / "owner_repo_m-Q4_0.gguf.json", b"{}")
    assert [(entry.store, entry.names) for entry in find_entries(places)] == [
        ("llama.cpp cache", ("owner_repo_m-Q4_0.gguf", "owner_repo_m-Q4_0")),
        ("LM Studio", ("owner/repo:Q4_K_M", "owner/repo:m-Q4_K_M.gguf", "owner/repo")),
    ]


def test_ollama_s_names_are_those_that_it_lists(places):
    (root,) = places.ollama
    blob = pulled(root, "library/qwen2.5/0.5b", small("q"))
    pulled(root, "library/qwen2.5/latest", small("latest"))
    pulled(root, "me/mine/v1", small("m"))
    pulled(root, "owner/repo/Q8_0", small("h"), host="hf.co")
    found = {entry.names[1]: entry for entry in find_entries(places)}
    assert list(found) == ["hf.co/owner/repo:Q8_0", "qwen2.5:0.5b", "qwen2.5:latest", "me/mine:v1"]
    assert found["qwen2.5:0.5b"].names == (
        "ollama:qwen2.5:0.5b", "qwen2.5:0.5b", "ollama:qwen2.5", "qwen2.5",
    )  # fmt: skip
    assert found["qwen2.5:0.5b"].source == GgufModel((blob,))
    assert [entry.is_usual for entry in found.values()] == [False, False, True, False]


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[]",
        "{}",
        '{"layers": 3}',
        '{"layers": [3]}',
        '{"layers": [{"mediaType": "application/vnd.ollama.image.model"}]}',
        '{"layers": []}',
        '{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "../x"}]}',
        '{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:%s"}]}'
        % ("a" * 64),
        "[" * 100_000,
    ],
)
def test_a_damaged_manifest_is_left_out(places, manifest):
    (root,) = places.ollama
    write(root / "manifests" / "registry.ollama.ai" / "library" / "bad" / "latest", manifest)
    pulled(root, "library/good/latest", small("g"))
    assert [entry.names[1] for entry in find_entries(places)] == ["good:latest"]


def test_a_store_that_may_not_be_looked_into_is_left_out(places, monkeypatch):
    write(places.llamacpp / "m.gguf", small("m"))

    def refuse(self, pattern):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(places.llamacpp), "glob", refuse)
    assert find_entries(places) == []


def test_the_commit_that_is_written_down_wins_over_a_newer_one(places):
    snapshot = cached_repo(places.hub, "o/r", {"a.gguf": small("a")}, ref=f"{COMMIT}\n")
    os.utime(snapshot, (1, 1))
    write(snapshot.parent / ("0" * 40) / "a.gguf", small("b"))
    (entry,) = find_entries(places)
    assert entry.source == GgufModel((snapshot / "a.gguf",))
