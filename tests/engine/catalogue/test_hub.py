import sys
from unittest.mock import Mock

import pytest

from model_stores import folder_files, places_below, small, split_files
from steer_engine import ModelError
from steer_engine.catalogue import Hub, HubModel, find_hub, plan_download
from steer_engine.catalogue.hub import told

FILES = {"m-Q4_K_M.gguf": small("4"), "m-Q8_0.gguf": small("8"), "README.md": b"#"}


def refusal(hub, model):
    with pytest.raises(ModelError) as caught:
        plan_download(hub, model)
    said = str(caught.value)
    assert "\n" not in said
    assert "hf_secret" not in said
    assert caught.value.__context__ is None  # the library's error holds the request
    return said


@pytest.mark.parametrize(("wanted", "file"), [(None, "m-Q4_K_M.gguf"), ("q8_0", "m-Q8_0.gguf")])
def test_only_the_file_that_is_meant_is_needed(serve, client, wanted, file):
    download = plan_download(client(serve(o__r=FILES)), HubModel("o/r", wanted))
    assert [each.name for each in download.files] == [file]
    assert download.n_bytes == len(FILES[file])
    assert download.is_gguf
    assert download.folder.name == "models--o--r"


def test_of_a_folder_everything_beside_the_weights_is_needed_too(serve, client):
    files = folder_files() | {"pytorch_model.bin": b"x", "README.md": b"#", "x/y.safetensors": b"-"}
    download = plan_download(client(serve(o__r=files)), HubModel("o/r"))
    assert [each.name for each in download.files] == [
        "config.json", "tokenizer.json", "model.safetensors",
    ]  # fmt: skip
    assert not download.is_gguf


def test_of_a_split_folder_the_parts_that_its_index_lists_are_needed(serve, client):
    download = plan_download(client(serve(o__r=split_files())), HubModel("o/r"))
    assert [each.name for each in download.files] == [
        "config.json", "tokenizer.json", "model.safetensors.index.json",
        "model-1.safetensors", "model-2.safetensors",
    ]  # fmt: skip


def test_a_split_folder_without_all_of_its_parts_is_none(serve, client):
    files = split_files()
    del files["model-2.safetensors"]
    hub = client(serve(o__r=files, o__bad=files | {"model.safetensors.index.json": b"{}"}))
    assert "no folder of safetensors" in refusal(hub, HubModel("o/r"))
    said = "model.safetensors.index.json of o/bad does not list the files of a model"
    assert said in refusal(hub, HubModel("o/bad"))


def test_a_folder_is_asked_for_where_there_is_both(serve, client):
    hub = client(serve(o__r=FILES | folder_files()))
    assert plan_download(hub, HubModel("o/r")).is_gguf
    assert not plan_download(hub, HubModel("o/r", "safetensors")).is_gguf


def test_a_folder_that_cannot_be_steered_is_refused_before_it_is_fetched(serve, client):
    files = folder_files()
    del files["tokenizer.json"]
    assert "o/r has no tokenizer.json" in refusal(client(serve(o__r=files)), HubModel("o/r"))


def test_a_hub_that_says_no_sizes_in_one_place_says_them_in_another(serve, client):
    stand_in = serve(o__r={"m.gguf": small("m")})
    stand_in.says_sizes = False
    assert plan_download(client(stand_in), HubModel("o/r")).n_bytes == len(small("m"))
    stand_in.repos["o/r"]["m.gguf"] = b""
    assert refusal(client(stand_in), HubModel("o/r")) == NO_HUB


def test_what_is_not_there_is_told(serve, client):
    hub = client(serve(o__r=FILES, o__bare={"README.md": b"#"}))
    assert refusal(hub, HubModel("o/r", "Q6_K")) == "o/r has no Q6_K; it has Q4_K_M, Q8_0"
    assert "no .gguf file, and no folder of safetensors" in refusal(hub, HubModel("o/bare"))
    assert refusal(hub, HubModel("o/other")).startswith("o/other is not on the hub, or is private")
    assert "is not a name that the hub can have" in refusal(hub, HubModel("-o/.."))


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "GatedRepo", "is gated: accept its terms on its page, then set HF_TOKEN"),
        (401, "GatedRepo", "is gated"),
        (401, "RepoNotFound", "is not on the hub, or is private"),
        (403, "", "may not be read with this HF_TOKEN"),
        (400, "", "the hub answered with status 400; try again later"),
    ],
)
def test_a_refusal_says_what_to_do(serve, client, status, code, said):
    stand_in = serve(o__r=FILES)
    stand_in.refused["o/r"] = (status, code)
    assert said in refusal(client(stand_in), HubModel("o/r"))


def test_a_hub_that_cannot_be_reached_is_told(tmp_path):
    pytest.importorskip("huggingface_hub")
    hub = Hub(tmp_path, "http://127.0.0.1:9", is_offline=False)
    said = refusal(hub, HubModel("o/r"))
    assert said == "o/r cannot be fetched: the hub cannot be reached (ConnectError); try again"


NO_HUB = "o/r cannot be fetched: what answers is no hub; look at HF_ENDPOINT and the proxy"


@pytest.mark.parametrize(
    "reply",
    [
        b"<html>Log in</html>", b"\xff", b"[]", b"{}", b"3", b'{"id": "o/r", "siblings": 3}',
        b'{"id": "o/r", "siblings": [{"rfilename": "m.gguf", "lfs": 3}]}',
    ],
)  # fmt: skip
def test_a_page_that_answers_for_the_hub_is_told(serve, client, reply):
    """The library's KeyError or JSONDecodeError was once what the user saw."""
    stand_in = serve(o__r=FILES)
    stand_in.portal = reply
    assert refusal(client(stand_in), HubModel("o/r")) == NO_HUB


@pytest.mark.parametrize("endpoint", ["http://[::1", "http://xn--a"])
def test_an_endpoint_that_is_no_address_is_told(tmp_path, endpoint):
    pytest.importorskip("huggingface_hub")
    said = refusal(Hub(tmp_path, endpoint, is_offline=False), HubModel("o/r"))
    assert said.startswith("o/r cannot be fetched: ")


def test_settings_that_cannot_be_right_are_told_as_such(serve, client, tmp_path, monkeypatch):
    """Both were once said to be trouble of the hub."""
    pytest.importorskip("huggingface_hub")
    said = refusal(Hub(tmp_path, "hub.example", is_offline=False), HubModel("o/r"))
    assert said == "HF_ENDPOINT is no address; it begins with https://"
    monkeypatch.setenv("HF_TOKEN", "hf_secret\u201d")
    said = refusal(client(serve(o__r=FILES)), HubModel("o/r"))
    assert said == "HF_TOKEN has a character that is in no token; copy it again"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9", "socksio"),
        ("ALL_PROXY", "socks://127.0.0.1:9", "Unknown scheme"),
        ("HTTPS_PROXY", "http://me:hf_secret/x@host:9", "a proxy's address cannot be read"),
        ("SSL_CERT_FILE", "/no/such/file", "No such file"),
    ],
)
def test_proxies_and_certificates_that_cannot_be_used_are_told(
    tmp_path, monkeypatch, variable, value, said
):
    """Each was a traceback."""
    library = pytest.importorskip("huggingface_hub")
    library.close_session()  # it keeps its client
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv(variable, value)
    refused = refusal(Hub(tmp_path, None, is_offline=False), HubModel("o/r"))
    assert refused.startswith("the proxy or certificates in the environment cannot be used: ")
    assert said in refused


def test_errors_of_the_library_become_one_line(tmp_path):
    errors = pytest.importorskip("huggingface_hub.errors")
    from httpx2 import Request, Response

    def refused(status):
        return errors.HfHubHTTPError("x", response=Response(status, request=Request("GET", "/")))

    hub = Hub(tmp_path / "hub", None, is_offline=False)
    for error, said in [
        (errors.LocalEntryNotFoundError("hf_secret"), "cannot be reached"),
        (errors.OfflineModeIsEnabled("hf_secret"), "cannot be reached"),
        (errors.FileMetadataError("hf_secret"), "what answers is no hub; look at HF_ENDPOINT"),
        (OSError(28, "No space left"), "cannot be written to .*hub: No space left; make room"),
        (refused(401), "HF_TOKEN is not valid"),
        (refused(404), "is no longer on the hub"),
    ]:
        with pytest.raises(ModelError, match=f"^o/r .*{said}[^\n]*$"):
            told(hub, HubModel("o/r"), Mock(side_effect=error))


@pytest.mark.parametrize("switch", ["STEERMAGIC_OFFLINE", "HF_HUB_OFFLINE", None])
def test_nothing_is_asked_where_that_is_forbidden(serve, tmp_path, switch):
    stand_in = serve(o__r=FILES)
    environment = {"HF_ENDPOINT": stand_in.url} | ({switch: "1"} if switch else {})
    hub = find_hub(environment, places_below(tmp_path), offline=switch is None)
    assert "o/r is not on this machine, and" in refusal(hub, HubModel("o/r"))
    assert stand_in.tokens == []


def test_the_environment_names_the_hub(tmp_path):
    places = places_below(tmp_path)
    assert find_hub({}, places) == Hub(places.hub, None, is_offline=False)
    named = find_hub({"HF_ENDPOINT": "http://mirror", "HF_HUB_OFFLINE": "0"}, places)
    assert named == Hub(places.hub, "http://mirror", is_offline=False)


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    hub = Hub(tmp_path, "http://127.0.0.1:9", is_offline=False)
    with pytest.raises(ModelError, match=r'run: pip install "steermagic\[hub\]", or download'):
        plan_download(hub, HubModel("o/r"))
