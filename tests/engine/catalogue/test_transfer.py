import os
import shutil
import sys
from threading import Thread
from unittest.mock import Mock

import pytest

from model_stores import folder_files, places_below, small
from steer_engine import ModelError
from steer_engine.catalogue import (
    FolderModel,
    GgufModel,
    HubModel,
    fetch,
    find_entries,
    plan_download,
    read_facts,
    resolve,
    transfer,
)

DATA = small("m") + os.urandom(3 * 2**20)


def fetched(hub, name, watch=lambda _: None, *, wanted=None):
    return fetch(hub, plan_download(hub, HubModel(name, wanted)), watch, pause_s=0)


def plan(hub):
    return plan_download(hub, HubModel("o/r"))


def refusal(hub, name):
    with pytest.raises(ModelError) as caught:
        fetched(hub, name)
    assert "\n" not in str(caught.value)
    assert "hf_secret" not in str(caught.value)
    assert "signature" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def incomplete(tmp_path):
    """Returns what has come of the download that was broken off."""
    return lambda: list((tmp_path / "hub").glob("**/*.incomplete"))


def test_a_model_is_fetched_once_into_the_library_s_own_cache(serve, client, tmp_path):
    stand_in, seen = serve(o__r={"m-Q4_K_M.gguf": DATA}), []
    hub = client(stand_in)
    model = fetched(hub, "o/r", lambda progress: seen.append(progress.n_done))
    assert isinstance(model, GgufModel)
    assert model.path.read_bytes() == DATA
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert seen[-1] == len(DATA)
    assert stand_in.ranges == [""]
    assert fetched(hub, "o/r") == model
    assert stand_in.ranges == [""]
    from huggingface_hub import try_to_load_from_cache

    assert try_to_load_from_cache("o/r", model.path.name, cache_dir=hub.cache) == str(model.path)


def test_it_then_stands_among_the_models_of_this_machine(serve, client, tmp_path):
    places = places_below(tmp_path)
    hub = client(serve(o__r={"m-Q4_K_M.gguf": DATA}))
    fetched(type(hub)(places.hub, hub.endpoint, is_offline=False), "o/r")
    assert [entry.name for entry in find_entries(places)] == ["o/r:Q4_K_M"]
    assert read_facts(resolve("o/r", places)).name == "m"


def test_all_files_of_a_folder_are_fetched(serve, client):
    files = folder_files()
    model = fetched(client(serve(o__r=files)), "o/r")
    assert isinstance(model, FolderModel)
    assert {each.name: each.read_bytes() for each in model.path.iterdir()} == files


def test_parts_in_a_folder_of_the_repository_are_fetched(serve, client):
    files = {f"q8/m-0000{i}-of-00002.gguf": small(str(i)) for i in (1, 2)}
    model = fetched(client(serve(o__r=files)), "o/r")
    assert [part.read_bytes() for part in model.parts] == list(files.values())


def test_a_broken_download_goes_on_where_it_was(serve, client, incomplete):
    stand_in = serve(o__r={"m.gguf": DATA})
    stand_in.breaks = [2**20, 2**20]
    assert fetched(client(stand_in), "o/r").path.read_bytes() == DATA
    assert stand_in.ranges == ["", f"bytes={2**20}-", f"bytes={2**21}-"]
    assert incomplete() == []


def test_what_has_come_stays_for_the_next_try(serve, client, incomplete):
    stand_in = serve(o__r={"m.gguf": DATA})
    stand_in.breaks = [2**20] + [0] * transfer._ATTEMPTS
    hub = client(stand_in)
    assert "the hub cannot be reached" in refusal(hub, "o/r")
    (begun,) = incomplete()
    assert begun.stat().st_size == 2**20
    seen = []
    assert fetched(hub, "o/r", lambda progress: seen.append(progress.n_done)).path.exists()
    assert stand_in.ranges[-1] == f"bytes={2**20}-"
    assert seen[1] > 2**20


def test_a_hub_that_sends_all_of_it_again_is_understood(serve, client):
    stand_in = serve(o__r={"m.gguf": DATA})
    stand_in.breaks, stand_in.ignores_ranges = [2**20], True
    assert fetched(client(stand_in), "o/r").path.read_bytes() == DATA


def test_a_hub_that_ends_early_again_and_again_is_given_up(serve, client):
    """It was once asked for ever."""
    stand_in = serve(o__r={"m.gguf": DATA})
    hub = client(stand_in)
    download = plan_download(hub, HubModel("o/r"))
    stand_in.repos["o/r"]["m.gguf"] = b""
    with pytest.raises(ModelError, match="cannot be reached"):
        fetch(hub, download, lambda _: None, pause_s=0)
    assert len(stand_in.ranges) == transfer._ATTEMPTS


def test_a_wrong_checksum_is_told_and_the_file_deleted(serve, client, incomplete):
    stand_in = serve(o__r={"m.gguf": DATA})
    stand_in.lies_about_hashes = True
    said = refusal(client(stand_in), "o/r")
    assert said == "m.gguf of o/r came damaged (its checksum is wrong) and is deleted; try again"
    assert incomplete() == []


def test_a_hub_that_refuses_is_not_asked_again(serve, client):
    stand_in = serve(o__r={"m.gguf": DATA})
    stand_in.cdn_status = 503
    assert "answered with status 503" in refusal(client(stand_in), "o/r")
    assert len(stand_in.ranges) == 1


def test_a_model_that_changes_meanwhile_is_told(serve, client):
    stand_in = serve(o__r={"m.gguf": DATA})
    stand_in.lies_about_commits = True
    assert refusal(client(stand_in), "o/r") == "o/r has changed on the hub meanwhile; try again"


def test_a_disk_without_room_is_told_before_anything_is_fetched(serve, client, monkeypatch):
    stand_in = serve(o__r={"m.gguf": DATA})
    stand_in.breaks = [3 * 2**20] + [0] * transfer._ATTEMPTS
    hub, usage = client(stand_in), type("Usage", (), {"free": 2**26 + 2**20})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert "GB free; make room, or set HF_HUB_CACHE to another disk" in refusal(hub, "o/r")
    assert stand_in.ranges == []
    usage.free *= 2
    refusal(hub, "o/r")  # breaks off
    usage.free //= 2
    assert fetched(hub, "o/r").path.exists()  # room for what is missing


def test_a_disk_that_fails_is_told(serve, client, monkeypatch):
    hub = client(serve(o__r={"m.gguf": DATA}))

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer, "_hash", fail)
    said = f"o/r cannot be written to {hub.cache}: No space left on device; make room there, or set"
    assert refusal(hub, "o/r") == f"{said} HF_HUB_CACHE to another folder"


def test_a_cache_that_may_not_be_looked_into_is_told(serve, client, monkeypatch):
    hub = client(serve(o__r={"m.gguf": DATA}))
    monkeypatch.setattr(
        transfer._Blob, "n_there", property(Mock(side_effect=PermissionError(13, "x")))
    )
    assert "cannot be written to" in refusal(hub, "o/r")


def test_what_another_process_fetches_is_watched(serve, client, monkeypatch):
    stand_in, seen = serve(o__r={"m.gguf": DATA}), []
    hub = client(stand_in)
    stand_in.breaks = [2**20] + [0] * transfer._ATTEMPTS
    refusal(hub, "o/r")  # breaks off
    monkeypatch.setattr(transfer, "_WAIT_S", 0.01)
    [blob] = (transfer._Blob(each, plan(hub).folder / "blobs") for each in plan(hub).parts(hub))

    def watch(progress):
        seen.append(progress.n_done)
        if len(seen) == 3:
            other.__exit__(None, None, None)

    other = blob._alone(Mock())
    other.__enter__()
    fetched(hub, "o/r", watch)
    assert seen[:3] == [0, 2**20, 2**20]
    assert seen[-1] == len(DATA)


def test_two_at_a_time_fetch_it_once(serve, client):
    stand_in = serve(o__r={"m.gguf": DATA})
    hub = client(stand_in)
    found = []
    threads = [Thread(target=lambda: found.append(fetched(hub, "o/r"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert stand_in.ranges == [""]


def test_an_interrupt_keeps_what_has_come(serve, client, incomplete):
    stand_in = serve(o__r={"m.gguf": DATA})
    hub = client(stand_in)

    def stop(progress):
        if progress.n_done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetched(hub, "o/r", stop)
    (begun,) = incomplete()
    assert begun.stat().st_size > 0
    assert fetched(hub, "o/r").path.read_bytes() == DATA


def test_without_the_library_the_extra_is_named(serve, client, monkeypatch):
    hub = client(serve(o__r={"m.gguf": DATA}))
    download = plan_download(hub, HubModel("o/r"))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ModelError, match=r"steermagic\[hub\]"):
        fetch(hub, download, lambda _: None)
