"""Completion as a kernel answers it, and what is offered at each place of a cell."""

from __future__ import annotations

import dataclasses
import enum
from types import SimpleNamespace
from typing import NamedTuple, TypedDict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter
from jupyter_client.manager import start_new_kernel
from pydantic import BaseModel

import steermagic
from steer_engine import TYPE_WORDS
from steermagic.candidates import columns_of
from steermagic.commands import COMMANDS
from steermagic.completion import offered, register_completion, unregister_completion
from steermagic.offers import Scope
from steermagic.options import FORMATS, OPTIONS, VIEWS

ALL_FLAGS = [flag for option in OPTIONS for flag in option.flags]
CURSOR = "¦"


class Invoice(BaseModel):
    vendor: str


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Movie(TypedDict):
    title: str


class Mood(enum.Enum):
    GOOD = "good"


class Pair(NamedTuple):
    left: int
    right: int


ASKED: list[str] = []


class Touchy:
    """Notes what is asked of it."""

    def __getattribute__(self, name):
        ASKED.append(name)
        return object.__getattribute__(self, name)

    def __iter__(self):
        ASKED.append("rows")
        return iter(())


def stream():
    ASKED.append("the first row")
    yield "x"


NAMES = {
    "Invoice": Invoice,
    "Point": Point,
    "Movie": Movie,
    "Mood": Mood,
    "BaseModel": BaseModel,
    "Enum": enum.Enum,
    "person": {"type": "object", "properties": {}},
    "plain": {"a": 1},
    "mail": "hi",
    "mails": pd.DataFrame({"body": ["x"], "sub ject": ["y"], "mail": ["z"], 7: [1]}),
    "notes": ["a", "b"],
    "touchy": Touchy(),
    "stream": stream(),
    "_private": "x",
    "pd": pd,
}
RUNS = {False: ["0a1b2c3d", "0a9f8e7d", "77aa66bb"], True: ["0a9f8e7d"]}
MODELS = [("embedded",), ("ollama:qwen3:1b", "qwen3:1b"), ("Org/Tiny:Q4_K_M", "Org/Tiny")]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def scope(**names):
    return Scope({**NAMES, **names}, lambda: MODELS, lambda _run_id: None, RUNS.__getitem__)


def texts(cell, **names):
    """What is offered at the cursor."""
    return list(offered(cell.partition(CURSOR)[0], scope(**names)).texts)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%%steer --ov¦", ["--over"]),
        ("%%steer name: str --a¦", ["--any-order", "--as"]),
        ("%%steer name: str -¦", ALL_FLAGS),
        ("%%steer --out x --o¦", ["--over"]),
        ("%%steer name: list[-¦", []),
        ("%%steer name: str # as --ma¦", []),
        ("%%steer --unknown 1 --ma¦", []),
        ("%%steer name: str ¦", ALL_FLAGS),
        ("%%steer name: str, ¦", []),
        ("%%steer --as ¦", list(FORMATS)),
        ("%%steer --as=p¦", ["pandas", "polars"]),
        ("%%steer a: str --view ¦", list(VIEWS)),
        ("%%steer --seed ¦", []),
        ("%%steer --many ¦ a: str", ["Invoice", "Mood", "Movie", "Point", "person"]),
        ("%%steer --think ¦", ["Invoice", "Mood", "Movie", "Point", "person"]),
        ("%%time\n%%steer --ov¦", ["--over"]),
        ("\n  %%steer --ov¦", ["--over"]),
    ],
)
def test_options_and_their_values(cell, expected):
    found = texts(cell)
    assert found[: len(expected)] == expected
    assert set(found[len(expected) :]) <= set(ALL_FLAGS)
    assert bool(found) == bool(expected)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%%steer -m ¦", ["embedded", "ollama:qwen3:1b", "Org/Tiny:Q4_K_M"]),
        ("%%steer --model=e¦", ["embedded"]),
        ("%%steer -m qw¦", ["qwen3:1b"]),
        ("%%steer -m org/¦", ["Org/Tiny:Q4_K_M"]),
        ("%%steer -m Org/Tiny:¦", ["Org/Tiny:Q4_K_M"]),
        ("%steer use ol¦", ["ollama:qwen3:1b"]),
        ("%steer plan O¦", ["Org/Tiny:Q4_K_M"]),
        ("%steer models ¦", ["embedded"]),
    ],
)
def test_models_by_any_of_their_names(cell, expected):
    assert texts(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%steer ¦", sorted({name.split(" ")[0] for name in COMMANDS} - {""})),
        ("df = %steer la¦", ["last"]),
        ("x = 1\n%steer un¦", ["unload"]),
        ("%steer runs ¦", ["export", "prune", "show"]),
        ("%steer runs prune --¦", ["--keep", "--days"]),
        ("%steer runs show ¦", RUNS[False]),
        ("%steer runs show 7¦", ["77aa66bb"]),
        ("%steer runs export 0a¦", ["0a1b2c3d", "0a9f8e7d"]),
        ("%steer runs export 0a1b2c3d ¦", []),
        ("%steer resume ¦", RUNS[True]),
        ("%steer resume 7¦", []),
        ("%steer use embedded ¦", ["--as"]),
        ("%steer use embedded --as ¦", []),
        ("%steer plan --¦", ["--ctx", "--slots"]),
        ("%steer plan --ctx 5 --¦", ["--slots"]),
        ("%steer schema In¦", ["Invoice"]),
        ("%steer schema a: da¦", ["date", "datetime"]),
        ("%steer explain Mo¦", ["Mood", "Movie"]),
        ("%steer explain --reg¦", ["--regex"]),
        ("%steer unload ¦", []),
        ("%steer nothing x ¦", []),
    ],
)
def test_commands_and_what_follows_them(cell, expected):
    assert texts(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%%steer In¦", ["Invoice"]),
        ("%%steer mo¦", ["Mood", "Movie"]),
        ("%%steer pl¦", []),
        ("%%steer --regex x In¦", []),
        ("%%steer --over ¦", ["mails", "notes", "stream", "touchy"]),
        ("%%steer a: str --over m¦", ["mails"]),
        ("%%steer --choices ¦", ["Mood", "notes", "person", "plain"]),
        ("%%steer --grammar m¦", ["mail"]),
    ],
)
def test_variables_that_can_be_meant(cell, expected):
    assert texts(cell) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "%%steer name: ¦",
        "%%steer name: str, age:¦",
        "%%steer a: str | ¦",
        "%%steer a: list[¦",
        "%%steer a: dict[str, ¦",
        '%%steer a: "x" | ¦',
        "%%steer -o x a: ¦",
        "%%steer\nname: str\nage: ¦\n---\nhi",
        "%%steer\nname?: ¦",
        '%%steer\n"my name": ¦',
        "%%steer\nbuyer: {name: ¦",
    ],
)
def test_types_behind_a_colon(cell):
    assert texts(cell) == list(TYPE_WORDS)


@pytest.mark.parametrize(
    "cell",
    [
        "%%steer\nname: str # said: ¦",
        '%%steer\na: "b: ¦',
        "%%steer\na: str\n---\nNote: ¦",
        "%%steer a: str\nNote: ¦",
        "%%steer --regex x\nNote: ¦",
        '%%steer\n{"type": ¦',
        "%%steer\na: Literal[¦",
        "%%steer\na¦",
    ],
)
def test_no_types_where_none_can_stand(cell):
    assert texts(cell) == []


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%%steer a: str\n{{ mai¦", ["mail", "mails"]),
        ("%%steer\na: str\n---\nOf {{ x }}: {{ mai¦", ["mail", "mails"]),
        ("%%steer a: str\n{{ le¦", ["len"]),
        ("%%steer a: str\n{{ _pr¦", ["_private"]),
        ("%%steer a: str\n{{ sche¦", ["schema"]),
        ("%%steer a: str\n{{ [each for each in mai¦", ["mail", "mails"]),
        ("%%steer a: str\n{{ mail.upp¦", []),
        ("%%steer a: str\n{{ 'mai¦", []),
        ("%%steer a: str\n{{ mail }} mai¦", []),
        ("%%steer a: str\n\\{{ mai¦", []),
        ("%%steer a: str\nmai¦", []),
        ("%%steer a: str --over mails\n{{ bo¦", ["body", "bool"]),
        ("%%steer a: str --over mails\n{{ row['¦", ["body", "sub ject", "mail"]),
        ("%%steer a: str --over mails\n{{ row['sub j¦", ["sub ject"]),
        ("%%steer a: str --over stream\n{{ ro¦", ["row", "round"]),
        ("%%steer a: str --over notes\n{{ te¦", ["text"]),
    ],
)
def test_names_in_an_expression(cell, expected):
    assert texts(cell) == expected


def test_nothing_is_asked_of_what_the_user_made():
    ASKED.clear()
    for cell in ("--over ¦", "--choices ¦", "¦", "a: str --over stream\n{{ ¦"):
        assert texts(f"%%steer {cell}")
    assert texts("%%steer a: str --over touchy\n{{ row¦", touchy=Touchy()) == ["row"]
    assert texts("%steer view t¦") == columns_of(Touchy()) == []
    assert ASKED == []


def test_columns_come_first_then_variables():
    found = texts("%%steer a: str --over mails\n{{ ¦")
    assert found[:3] == ["body", "mail", "row"]
    assert {"mails", "person", "schema"} <= set(found)
    assert not {"sub ject", "_private", "len"} & set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        (pd.Series(["x"]), ["text"]),
        (pd.Series(["x"], name="body"), ["body"]),
        (pd.Series(["x"], name=pd.NA), []),
        (pd.DataFrame({"body": ["x"]}, index=pd.Index([1], name="post_id")), ["post_id", "body"]),
        (pd.Series(["x"], index=pd.Index([1], name="post_id")), ["post_id", "text"]),
        (pd.DataFrame({"n": [1]}).set_index(["n", "n"], drop=False).rename_axis(["n", 2]), ["n"]),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), []),
        ([{"a": 1}, {"b": 2, 3: 4}], ["a", "b"]),
        ((Point(1, 2),), ["x", "y"]),
        ([Pair(1, 2)], ["left", "right"]),
        ([Invoice(vendor="v")], ["vendor"]),
        ([SimpleNamespace(a=1, _b=2)], ["a"]),
        ([1, 2], ["text"]),
        ([pd.Series([1])], []),
        ([], []),
        (np.array(["a"]), []),
        (None, []),
    ],
)
def test_columns_that_can_be_seen_without_reading(data, columns):
    assert columns_of(data) == columns


def test_columns_of_other_libraries():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    assert columns_of(pl.DataFrame({"a": [1]})) == columns_of(pa.table({"a": [1]})) == ["a"]
    assert columns_of(pl.Series(["x"])) == ["text"]
    assert columns_of(pa.table({"a": [1]}).to_batches()[0]) == ["a"]
    assert columns_of(pa.array(["x"])) == columns_of(pa.chunked_array([["x"]])) == ["text"]
    assert columns_of(pl.LazyFrame({"a": [1]})) == []


def test_files_of_the_right_kind(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("tiny.gguf", "invoice.json", "sql.lark", "sub/inner.gguf", ".hidden.gguf"):
        (tmp_path / name).touch()
    assert texts("%%steer -m t¦") == ["tiny.gguf"]
    assert texts("%%steer -m ./¦") == ["./tiny.gguf", "./sub/"]
    assert texts("%%steer -m sub/¦") == ["sub/inner.gguf"]
    assert texts("%%steer inv¦") == ["invoice.json"]
    assert texts("%%steer --grammar sq¦") == ["sql.lark"]
    for path in ("no/such/", "~nobody-here/", "\0/"):
        assert texts(f"%%steer -m {path}¦") == []


def test_an_editor_is_a_schema():
    assert texts("%%steer edi¦", editor=steermagic.SchemaEditor("a: str")) == ["editor"]


@pytest.mark.parametrize("cell", ["%%bash\n%steer us¦", "steer --ov¦", "%%steer¦", "x: in¦"])
def test_other_cells_are_left_alone(cell):
    assert offered(cell.partition(CURSOR)[0], scope()).texts == ()


PARTS = [
    "%%steer", "%steer ", "use ", "runs ", "view ", "explain ", "schema ", " ", "\n", "---\n",
    "{{", "}}", "\\", "--over mails ", "--as=", "--choices ", "-m ", "-", "name: ", "list[", "|",
    '"', "'", "#", "mail", ".", "row[", "touchy.", "stream", "(", "é", "\0", "~/",
]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=12))
def test_any_text_is_completed_without_an_error(parts):
    before = f"%%steer {''.join(parts)}"
    for text in (before, before[1:], "".join(parts)):
        offer = offered(text, scope())
        assert text.endswith(offer.fragment)
        assert len(set(offer.texts)) == len(offer.texts)


def complete(shell, text):
    with provisionalcompleter():
        return [each.text for each in shell.Completer.completions(text, len(text))]


def test_the_matcher_comes_with_the_extension_and_goes_with_it(shell):
    n_matchers = len(shell.Completer.custom_matchers)
    steermagic.load_ipython_extension(shell)
    steermagic.load_ipython_extension(shell)
    assert len(shell.Completer.custom_matchers) == n_matchers + 1
    shell.user_ns["mails"] = NAMES["mails"]
    assert complete(shell, "%%steer --over ma") == ["mails"]
    steermagic.unload_ipython_extension(shell)
    assert len(shell.Completer.custom_matchers) == n_matchers
    assert shell.find_cell_magic("steer") is shell.find_line_magic("steer") is None
    steermagic.unload_ipython_extension(shell)
    steermagic.load_ipython_extension(shell)
    assert complete(shell, "%%steer --ov") == ["--over"]


def test_frames_of_runs_can_be_viewed_and_aliases_named(notebook, shell):
    book = notebook({"a": "x"})
    register_completion(shell, book.session)
    book.session.aliases["mine"] = "embedded"
    book.run("%%steer -o answers\na: str\n---\nhi", others=NAMES["mails"])
    try:
        assert complete(shell, "%steer view ") == ["answers"]
        assert complete(shell, "%steer use ")[:2] == ["mine", "embedded"]
        assert complete(shell, "%steer plan mi") == ["mine"]
    finally:
        unregister_completion(shell)


def test_the_ids_of_stored_runs_are_offered(notebook, shell):
    book = notebook({"a": "x"})
    register_completion(shell, book.session)
    book.run("%%steer\na: str\n---\nhi")
    done = book.session.last_run().id[:8]
    try:
        assert complete(shell, "%steer runs show ") == [done]
        assert done not in complete(shell, "%steer resume ")
        with book.session.store()._database.transaction() as connection:
            connection.execute("UPDATE runs SET state = 'interrupted'")
        assert complete(shell, "%steer resume " + done[:3]) == [done]
        book.session.store().close()
        assert done not in complete(shell, "%steer runs show ")
    finally:
        unregister_completion(shell)


SETUP = """\
%load_ext steermagic
import pandas as pd
mail = "hi"
mails = pd.DataFrame({"body": ["x"]})
"""


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    reply = client.execute_interactive(SETUP, timeout=60)["content"]
    assert reply["status"] == "ok"
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("cell", "replaced", "matches"),
    [
        ("%%steer --ov¦ x\nhi", "--ov", ["--over"]),
        ("%%steer --as=p¦", "p", ["pandas", "polars"]),
        ("%%steer -m emb¦", "emb", ["embedded"]),
        ("%%steer --over mai¦\n{{ body }}", "mai", ["mails"]),
        ("%steer run¦", "run", ["runs"]),
        ("%%steer\nday: dat¦\n---\nhi", "dat", ["date", "datetime"]),
        ("%%steer a: str --over mails\nOf {{ bod¦ }}", "bod", ["body"]),
        ("%%steer a: str\nDon't:\n{{ mail.upp¦ }}", "upp", ["upper"]),  # from here IPython's own
        ("%%ste¦", "%%ste", ["%%steer"]),
        ("mail.upp¦", "upp", ["upper"]),
        ("%%time\nmail.upp¦", "upp", ["upper"]),
    ],
)
def test_a_kernel_answers_a_front_end(kernel, cell, replaced, matches):
    before, _, after = cell.partition(CURSOR)
    reply = kernel.complete(before + after, len(before), reply=True, timeout=60)["content"]
    assert reply["status"] == "ok"
    assert reply["matches"] == matches
    assert reply["cursor_end"] == len(before)
    assert before[reply["cursor_start"] :] == replaced


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("question", ["%%steer?", "%steer?"])
def test_a_question_mark_shows_all_of_the_help(kernel, question):
    reply = kernel.execute_interactive(question, timeout=60)["content"]
    [page] = reply["payload"]
    shown = page["data"]["text/plain"]
    assert all(flag in shown for flag in ALL_FLAGS)
    assert all(command.usage in shown for command in COMMANDS.values())
    assert "%%steer name: str, age: int" in shown
