"""Values of options are read or refused at the door."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from steer_engine import Sampling, SamplingError
from steermagic.errors import OptionError
from steermagic.options import (
    FORMATS,
    OPTIONS,
    SteerOptions,
    call_options,
    read_options,
    read_setting,
)


def test_what_the_line_says_wins_over_settings():
    options = read_options({"--seed": "3", "--many": ""}, {"seed": 1, "temperature": 0.5})
    assert (options.seed, options.temperature, options.many) == (3, 0.5, True)


def test_an_argument_wins_over_settings_even_if_it_is_the_default():
    settings = {"seed": 1, "temperature": 0.5, "model": "a.gguf"}
    options = call_options({"seed": None, "temperature": 0, "many": True}, settings)
    assert (options.seed, options.temperature, options.many) == (1, 0.0, True)
    assert options.model == "a.gguf"


def test_arguments_may_be_paths_and_numbers_of_other_libraries():
    given = {"model": Path("a.gguf"), "seed": np.int64(3), "temperature": np.float32(0.1)}
    options = call_options({**given, "many": np.True_}, {})
    assert options == SteerOptions(model="a.gguf", seed=3, temperature=0.1, many=True)
    assert json.dumps(asdict(options))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": 1.5}, "seed must be a whole number, not '1.5'"),
        ({"temperature": "hot"}, "temperature must be a number, not 'hot'"),
    ],
)
def test_a_wrong_argument_is_named(given, message):
    with pytest.raises(OptionError) as caught:
        call_options(given, {})
    assert str(caught.value) == message


def test_every_option_of_the_table_is_a_field():
    assert {option.name for option in OPTIONS} == set(SteerOptions.__dataclass_fields__)


@pytest.mark.parametrize(
    ("flag", "text", "message"),
    [
        ("-o", "my-var", "-o needs a variable name, and 'my-var' cannot be one"),
        ("-o", "class", "-o needs a variable name, and 'class' cannot be one"),
        ("--as", "csv", "--as must be pandas, polars, arrow, dict, json or model, not 'csv'"),
        ("--view", "gif", "--view must be auto, live, static or off, not 'gif'"),
        ("--temperature", "hot", "--temperature must be a number, not 'hot'"),
        ("--seed", "1.5", "--seed must be a whole number, not '1.5'"),
        ("--max-tokens", "0", "max_tokens must be 1 or more, not 0"),
    ],
)
def test_a_wrong_value_names_the_option_and_what_it_takes(flag, text, message):
    with pytest.raises(OptionError) as caught:
        read_options({flag: text}, {})
    assert str(caught.value) == message


def test_rows_go_with_tables_only():
    with pytest.raises(OptionError, match="which --as json has none of"):
        read_options({"--rows": "lines", "--as": "json"}, {})


def test_a_form_that_does_not_exist_is_refused_in_the_function_too():
    with pytest.raises(OptionError, match="'csv' is not a form of result"):
        SteerOptions(as_="csv")
    assert all(SteerOptions(as_=form) for form in FORMATS)


def test_sampling_is_checked_by_the_engine():
    assert SteerOptions(temperature=0.5, seed=2).sampling == Sampling(temperature=0.5, seed=2)
    with pytest.raises(SamplingError):
        _ = SteerOptions(top_p=2.0).sampling


def test_only_settings_can_be_set():
    assert read_setting("seed", "4", where="here") == 4
    with pytest.raises(OptionError, match="unknown setting 'sed' in here; did you mean 'seed'"):
        read_setting("sed", "4", where="here")
    with pytest.raises(OptionError, match="unknown setting 'many'"):
        read_setting("many", "1", where="here")
