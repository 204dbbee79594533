import io

import pytest

from gguf_files import model
from hub_stand_in import COMMIT
from model_stores import folder_files, safetensors, small, split_files, write
from steer_engine import ModelError
from steer_engine.catalogue import (
    HubModel,
    plan_download,
    read_facts,
    read_remote_facts,
    resolve,
)
from steer_engine.catalogue.remote_facts import _open


def remote(hub, name, wanted=None):
    return read_remote_facts(hub, plan_download(hub, HubModel(name, wanted)))


def test_the_facts_are_those_of_the_file_itself(serve, client, tmp_path):
    data = model(n_layers=3, n_tokens=2000) + bytes(2**22)
    stand_in = serve(o__r={"m-Q4_K_M.gguf": data})
    file = write(tmp_path / "m-Q4_K_M.gguf", data)
    assert remote(client(stand_in), "o/r") == read_facts(resolve(str(file), None))
    (asked,) = stand_in.ranges
    assert asked == f"bytes=0-{2**18 - 1}"  # of more than four megabytes


def test_parts_are_added_up(serve, client):
    files = {f"m-0000{i}-of-00002.gguf": small("m") for i in (1, 2)}
    facts = remote(client(serve(o__r=files)), "o/r")
    one = remote(client(serve(o__r={"m.gguf": small("m")})), "o/r")
    assert facts.n_params == 2 * one.n_params
    assert facts.size_bytes == 2 * one.size_bytes


def test_a_folder_s_facts_are_read_from_headers_alone(serve, client):
    weights = safetensors(model__layers__0__w=(2**20,))
    stand_in = serve(o__r=folder_files() | {"model.safetensors": weights})
    facts = remote(client(stand_in), "o/r")
    assert (facts.name, facts.architecture, facts.n_params) == ("o/r", "llama", 2**20)
    assert stand_in.ranges == [f"bytes=0-{2**18 - 1}"]


def test_weights_that_a_repository_has_twice_count_once(serve, client):
    facts = remote(client(serve(o__r=split_files())), "o/r")
    assert facts.n_params == 4 * 8 + 4 * 8
    assert facts.size_bytes == facts.shape.weight_bytes


def test_a_large_header_is_read_in_steps_that_grow(serve, client):
    words = {f"tokenizer.{i}": "x" * 60_000 for i in range(30)}
    stand_in = serve(o__r={"m.gguf": model(**words) + bytes(2**20)})
    assert remote(client(stand_in), "o/r").architecture == "llama"
    firsts = [int(each.split("=")[1].split("-")[0]) for each in stand_in.ranges]
    assert firsts == sorted(firsts)
    assert firsts[0] == 0
    sizes = [-eval(each.split("=")[1]) + 1 for each in stand_in.ranges]  # noqa: S307 - ours
    assert sizes[:3] == [2**18, 2**19, 2**20]


def test_the_token_goes_to_the_hub_and_not_to_the_cdn(serve, client):
    stand_in = serve(o__r={"m.gguf": small("m")})
    remote(client(stand_in), "o/r")
    with_token = {path.split("?")[0] for path, token in stand_in.tokens if token}
    assert with_token == {
        "/api/models/o/r",
        f"/o/r/resolve/{COMMIT}/m.gguf",
    }
    assert any(path.startswith("/o/r/m.gguf") for path, token in stand_in.tokens if not token)


def test_a_damaged_header_is_told(serve, client):
    stand_in = serve(o__r={"m.gguf": b"GGUF" + b"\xff" * 100})
    with pytest.raises(ModelError, match=r"m\.gguf has GGUF version"):
        remote(client(stand_in), "o/r")


def test_a_cdn_that_refuses_is_told(serve, client):
    stand_in = serve(o__r={"m.gguf": small("m")})
    stand_in.cdn_status = 503
    with pytest.raises(ModelError, match="the hub answered with status 503; try again later"):
        remote(client(stand_in), "o/r")


def test_a_hub_that_sends_whole_files_only_is_enough_for_a_small_header(serve, client):
    stand_in = serve(
        o__r={"m.gguf": small("m") + bytes(2**22)},
        o__large={"m.gguf": model(**{f"tokenizer.{i}": "x" * 60_000 for i in range(30)})},
    )
    stand_in.ignores_ranges = True
    assert remote(client(stand_in), "o/r").name == "m"
    with pytest.raises(ModelError, match="is on a hub that does not send parts of files"):
        remote(client(stand_in), "o/large")


def test_a_remote_file_is_read_as_a_local_one_is(serve, client):
    data = bytes(range(256)) * 4096
    hub = client(serve(o__r={"m.gguf": data}))
    (part,) = plan_download(hub, HubModel("o/r")).parts(hub)
    with _open(part) as file:
        assert file.seek(-3, io.SEEK_END) == len(data) - 3
        assert file.read() == data[-3:]
        assert file.read() == b""
        file.seek(2**19)
        file.seek(1, io.SEEK_CUR)
        assert file.tell() == 2**19 + 1
        assert file.read(2**18) == data[2**19 + 1 :][: 2**18]
        file.seek(0)
        assert file.read() == data
