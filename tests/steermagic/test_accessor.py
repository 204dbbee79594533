"""`df.steer` tells where a frame came from."""

from __future__ import annotations

import pandas as pd
import pytest

from steer_engine import read_schema
from steermagic.job import Job
from steermagic.options import SteerOptions
from steermagic.schemas import FoundSchema

DOG = read_schema("name: str, age: int")


@pytest.fixture
def frame(wishing) -> pd.DataFrame:
    session = wishing({"name": "Rex", "age": 3})
    return session.answer(Job(("Invent a dog",), FoundSchema(DOG), SteerOptions()))


def test_a_frame_knows_its_run(frame):
    assert frame.steer.schema == DOG
    assert frame.steer.model == "fake"
    assert frame.steer.raw == ['{"name": "Rex", "age": 3}']
    assert frame.steer.errors == {}
    assert "fake" in repr(frame.steer.view())


def test_tokens_are_a_frame(frame):
    tokens = frame.steer.tokens
    assert "".join(tokens["text"]) == frame.steer.raw[0]
    assert set(tokens["origin"]) <= {"forced", "chosen", "narrowed"}
    chosen = tokens[tokens["origin"] == "chosen"]
    assert chosen["probability"].between(0, 1).all()
    assert tokens.loc[tokens["text"] == "3", "pointer"].tolist() == ["/age"]


def test_what_is_made_from_a_frame_knows_too(frame):
    assert frame.head(1)[["age"]].steer.model == "fake"


def test_other_frames_have_no_run(frame):
    with pytest.raises(AttributeError, match="does not come from one of the last"):
        _ = pd.DataFrame().steer
