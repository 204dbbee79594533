import pytest

from model_stores import cached_repo, folder_files, places_below, pulled, small, write
from steer_engine import ModelError
from steer_engine.catalogue import (
    FolderModel,
    GgufModel,
    HubModel,
    ServerModel,
    find_at,
    is_url,
    resolve,
)


@pytest.fixture
def places(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return places_below(tmp_path)


def refusal(name, places, **more):
    with pytest.raises(ModelError) as caught:
        resolve(name, places, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_address_is_a_server(places):
    assert resolve("HTTP://host:80/v1#m", places) == ServerModel("HTTP://host:80/v1#m")
    assert "is a file; download it" in refusal("https://host/m.gguf", places)


def test_what_is_not_here_and_looks_like_it_is_on_the_hub(places):
    assert resolve("owner/re.po-1", places) == HubModel("owner/re.po-1", None)
    assert resolve("owner/repo:Q8_0", places) == HubModel("owner/repo", "Q8_0")
    assert str(HubModel("owner/repo", "Q8_0")) == "owner/repo:Q8_0"
    assert str(HubModel("owner/repo")) == "owner/repo"


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("https://huggingface.co/owner/repo", "owner/repo"),
        ("https://hf.co/owner/re.po-1/tree/main", "owner/re.po-1"),
        ("http://www.HuggingFace.co/owner/repo/blob/main/m-Q8_0.gguf", "owner/repo:m-Q8_0.gguf"),
        ("https://huggingface.co/o/r/resolve/main/m.gguf?download=true", "o/r:m.gguf"),
        ("https://huggingface.co/o/r/blob/main/a%20b/m-Q8_0.gguf", "o/r:a b/m-Q8_0.gguf"),
        ("https://huggingface.co/o/r:Q8_0", "o/r:Q8_0"),
        ("https://huggingface.co/o/r/tree/main/a%20b", "o/r"),
    ],
)
def test_a_page_of_the_hub_is_a_model_and_no_server(places, page, name):
    assert not is_url(page)
    assert resolve(page, places) == resolve(name, places)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("https://huggingface.co/o/r/tree/v2", "is the version 'v2', and only main is downloaded"),
        ("https://hf.co/o/r/blob/v2/m.gguf", "write o/r, or download the file yourself"),
        ("https://huggingface.co/o/r/discussions/1", "is a page of the hub, and not of a model"),
        ("https://huggingface.co", "write owner/repo"),
    ],
)
def test_other_pages_of_the_hub_are_refused_and_no_servers(places, page, said):
    assert not is_url(page)
    assert said in refusal(page, places)


@pytest.mark.parametrize("name", ["o/r", "O/R:q4_k_m", "o/r:m-Q4_K_M.gguf"])
def test_what_is_in_the_cache_is_taken_from_there(places, name):
    snapshot = cached_repo(
        places.hub, "o/r", {"m-Q4_K_M.gguf": small("4"), "m-Q8_0.gguf": small("8")}
    )
    assert resolve(name, places) == GgufModel((snapshot / "m-Q4_K_M.gguf",))


def test_another_quantization_than_the_one_in_the_cache_is_on_the_hub(places):
    cached_repo(places.hub, "o/r", {"m-Q4_K_M.gguf": small("4")})
    assert resolve("o/r:Q8_0", places) == HubModel("o/r", "Q8_0")


def test_ollama_s_short_name_is_its_latest(places):
    pulled(places.ollama[0], "library/qwen/0.5b", small("q"))
    latest = pulled(places.ollama[0], "library/qwen/latest", small("latest"))
    assert resolve("qwen", places) == resolve("ollama:qwen:latest", places) == GgufModel((latest,))


def test_a_name_that_means_several_lists_them(places):
    cached_repo(places.hub, "o/r", {"m-Q6_K.gguf": small("6"), "m-Q8_0.gguf": small("88")})
    assert refusal("o/r", places) == (
        "'o/r' can mean several models: o/r:Q6_K (Hugging Face cache), o/r:Q8_0 (Hugging Face"
        " cache); write one of these"
    )


def test_one_file_in_two_stores_is_no_question(places):
    cached_repo(places.hub, "o/r", {"m-Q4_K_M.gguf": small("4")})
    write(places.lmstudio[0] / "o" / "r" / "m-Q4_K_M.gguf", small("4"))
    assert resolve("o/r", places).path.is_relative_to(places.hub)


def test_two_files_of_one_name_are_told_apart_by_their_paths(places):
    """Their name was once what to write instead of their name."""
    cached = cached_repo(places.hub, "o/r", {"m-Q4_K_M.gguf": small("4")}) / "m-Q4_K_M.gguf"
    other = write(places.lmstudio[0] / "o" / "r" / "m-Q4_K_M.gguf", small("other" * 20))
    for name in ("o/r", "o/r:Q4_K_M"):
        assert refusal(name, places) == (
            f"{name!r} can mean several models: {cached} (Hugging Face cache), {other} (LM Studio);"
            " write one of these"
        )
    assert resolve(str(other), places) == GgufModel((other,))


def test_who_wants_a_folder_gets_it_also_where_a_gguf_file_is_beside_it(places, tmp_path):
    """The GGUF file was taken, and then refused."""
    both = {"m-Q4_K_M.gguf": small("4")} | folder_files()
    snapshot = cached_repo(places.hub, "o/both", both)
    cached_repo(places.hub, "o/gguf", {"m-Q4_K_M.gguf": small("4")})
    for name, source in {
        "o/both": FolderModel(snapshot),
        str(snapshot): FolderModel(snapshot),
        "o/gguf": HubModel("o/gguf", "safetensors"),
        "o/both:Q4_K_M": GgufModel((snapshot / "m-Q4_K_M.gguf",)),
    }.items():
        assert resolve(name, places, wants_folder=True) == source
    for name in ("o/both", str(snapshot)):
        assert isinstance(resolve(name, places), GgufModel)
    path = tmp_path / "work" / "o" / "gguf"
    for name, data in both.items():
        write(path / name, data)
    assert resolve("o/gguf", places, wants_folder=True) == FolderModel(path)


def test_a_path_that_is_also_a_name_is_asked_about(places):
    cached_repo(places.hub, "o/r", {"m.gguf": small("m")})
    path = write(places.hub.parents[2] / "work" / "o" / "r" / "m.gguf", small("m"))
    assert refusal("o/r", places) == (
        "'o/r' is a path here and a model of Hugging Face cache; write ./o/r or o/r:m.gguf"
    )
    assert resolve("./o/r", places) == GgufModel((path,))
    assert resolve("o/r:m.gguf", places).path.is_relative_to(places.hub)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "the name of the model is empty"),
        ("~nobody-of-that-name/m", "cannot be a path"),
        ("a" * 300, "cannot be a path"),
        ("m\0.gguf", "cannot be a path|no model file"),
        ("missing.gguf", r"no model file missing\.gguf; \. has 0 \.gguf files"),
        ("o/r/m.gguf", r"the folder o/r does not exist"),
        ("/no/m.gguf", r"the folder /no does not exist"),
        ("qwem", "there is no model 'qwem'; did you mean 'qwen'"),
        ("embeded", "did you mean 'embedded'"),
        ("something else", "`%steer models` lists what is here, and owner/repo names"),
        ("a/b/c", "there is no model 'a/b/c'; `%steer models`"),
    ],
)
def test_what_cannot_be_found_says_what_to_do(places, name, said):
    pulled(places.ollama[0], "library/qwen/latest", small("q"))
    with pytest.raises(ModelError, match=said) as caught:
        resolve(name, places, others=["embedded"])
    assert "\n" not in str(caught.value)


def test_paths_lead_to_files_and_folders(places, tmp_path):
    model = write(tmp_path / "work" / "m.gguf", small("m"))
    folder = tmp_path / "folder"
    for name, data in folder_files().items():
        write(folder / name, data)
    assert resolve("m.gguf", places) == find_at(model) == GgufModel((model,))
    assert resolve(str(model), places) == resolve("../work", places) == GgufModel((model,))
    assert resolve(str(folder), places) == FolderModel(folder)


def test_the_parts_of_a_split_model_belong_together(tmp_path):
    parts = tuple(write(tmp_path / f"m-0000{i}-of-00002.gguf", small("m")) for i in (1, 2))
    assert find_at(parts[1]) == find_at(tmp_path) == GgufModel(parts)
    parts[0].unlink()
    with pytest.raises(ModelError, match="is one of 2 files, and 1 of them are there; fetch"):
        find_at(parts[1])


def test_a_download_that_is_under_way_does_not_hide_the_file_beside_it(tmp_path):
    """The missing parts of another model were once the error."""
    write(tmp_path / "other-00001-of-00002.gguf", small("o"))
    mine = write(tmp_path / "mine.gguf", small("m"))
    assert find_at(mine) == GgufModel((mine,))


def test_links_are_followed_where_that_finds_more_parts(tmp_path, places):
    """The links of the hub's cache lead to files without names, and once to one part alone."""
    files = {f"m-0000{i}-of-00002.gguf": small(str(i)) for i in (1, 2)}
    snapshot = cached_repo(places.hub, "o/split", files)
    assert len(find_at(snapshot / "m-00001-of-00002.gguf").parts) == 2
    parts = tuple(write(tmp_path / f"x-0000{i}-of-00002.gguf", small("m")) for i in (1, 2))
    link = tmp_path / "link.gguf"
    link.symlink_to(parts[0])
    assert find_at(link) == GgufModel(parts)
    alone = tmp_path / "elsewhere" / parts[0].name
    alone.parent.mkdir()
    alone.symlink_to(parts[0])
    assert find_at(alone) == GgufModel(parts)
    parts[1].unlink()
    for path in (link, alone):
        with pytest.raises(ModelError, match="is one of 2 files, and 1 of them are there; fetch"):
            find_at(path)


def test_folders_without_one_model_say_so(tmp_path):
    with pytest.raises(ModelError, match="is a folder without a model"):
        find_at(tmp_path)
    for name in ("a.gguf", "b.gguf"):
        write(tmp_path / name, small(name))
    with pytest.raises(ModelError, match=r"is a folder; name a \.gguf file in it: a\.gguf, b\.gg"):
        find_at(tmp_path)


def test_what_cannot_be_read_is_told(tmp_path, monkeypatch):
    file = write(tmp_path / "a.gguf", small("a"))

    def refuse(self, *_, **__):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(type(file), "open", refuse)
        with pytest.raises(ModelError, match=r"a\.gguf cannot be read: Permission denied"):
            find_at(file)
    monkeypatch.setattr(type(file), "iterdir", refuse)
    with pytest.raises(ModelError, match="cannot be read: Permission denied"):
        find_at(tmp_path)


def test_a_name_close_to_a_file_s_is_suggested(tmp_path):
    write(tmp_path / "qwen-0.5b.gguf", small("q"))
    with pytest.raises(ModelError, match=r"did you mean qwen-0\.5b\.gguf"):
        find_at(tmp_path / "qwen-0.5.gguf")
