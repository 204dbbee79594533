"""Cells as a shell runs them, with the real engine over a model of no weights."""

from __future__ import annotations

from unittest.mock import patch

import pandas as pd
import pytest
from IPython.utils.capture import capture_output
from pydantic import BaseModel

import steermagic
from steer_engine import BackendError, Engine, open_engine
from steer_engine.backends.fake import FakeBackend
from steer_engine.closing import Closer
from steermagic.errors import CellError
from steermagic.session import shared_session

DOGS = [{"name": "Rex", "age": 3, "superpower": "flies"}]
TICKET = {"subject": "Late", "urgency": "low", "due": "2026-01-31", "amount": None}
INVOICE = {"vendor": "ACME", "lines": [{"name": "pen", "price": 1.5}, {"name": "ink", "price": 2}]}
TICKET_CELL = """\
%%steer -o ticket
subject: str
urgency: "low" | "medium" | "high"     # how fast must we answer
due: date | None
amount: float | None  # in EUR
---
Extract the ticket from this mail:
{{ mail }}
"""


class Line(BaseModel):
    name: str
    price: float


class Invoice(BaseModel):
    vendor: str
    lines: list[Line]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """No settings of the project these tests are in."""
    monkeypatch.chdir(tmp_path)


def test_three_dogs(notebook):
    cell = "%%steer name: str, age: int, superpower: str --many\nInvent three cool dogs\n"
    frame = notebook(DOGS).run(cell)
    assert frame.to_dict("records") == DOGS


def test_a_ticket_is_stored_and_shown(notebook):
    book = notebook(TICKET)
    frame = book.run(TICKET_CELL, mail="It's late!")
    assert frame is book.shell.user_ns["ticket"] is book.shell.user_ns["_"]
    assert list(frame["urgency"].cat.categories) == ["low", "medium", "high"]
    assert frame["due"].tolist() == [pd.Timestamp("2026-01-31")]
    assert book.session.last_run().job.prompts[0].endswith("this mail:\nIt's late!")


def test_a_person_from_json_schema(notebook):
    frame = notebook({"name": "Ada", "born": 1815}).run(
        '%%steer -o person\n{"type":"object","properties":{"name":{"type":"string"},'
        '"born":{"type":"integer"}},"required":["name","born"]}\n'
        "Who wrote the first computer program?\n"
    )
    assert frame.to_dict("records") == [{"name": "Ada", "born": 1815}]


def test_lines_of_an_invoice(notebook):
    names = {"Invoice": Invoice, "pdf_text": "pen 1.50, ink 2"}
    cell = "%%steer Invoice --rows lines {}-o lines --seed 1\n{{{{ pdf_text }}}}\n"
    frame = notebook(INVOICE).run(cell.format(""), **names)
    assert frame["lines.name"].tolist() == ["pen", "ink"]
    pl = pytest.importorskip("polars")
    frame = notebook(INVOICE).run(cell.format("--as polars "), **names)
    assert isinstance(frame, pl.DataFrame)
    assert frame["lines.price"].to_list() == [1.5, 2.0]


REVIEWS_CELL = """\
%%steer --over reviews --out rated --cache
sentiment: "neg" | "mixed" | "pos"
topics: list[str]  # at most three words each
---
Review of {{ product }}: {{ text }}
"""


def test_reviews_are_rated_on_their_own_index(notebook):
    reviews = pd.DataFrame(
        {"product": ["lamp", "desk"], "text": ["Too dim", "Sturdy"]}, index=["r7", "r3"]
    )
    book = notebook({"sentiment": "neg", "topics": ["light"]})
    rated = book.run(REVIEWS_CELL, reviews=reviews)
    assert rated is book.shell.user_ns["rated"]
    assert list(rated.columns) == ["product", "text", "sentiment", "topics"]
    assert list(rated.index) == ["r7", "r3"]
    assert rated["sentiment"].tolist() == ["neg", "neg"]
    assert list(reviews.columns) == ["product", "text"]
    prompts = book.session.last_run().job.prompts
    assert [*prompts] == ["Review of lamp: Too dim", "Review of desk: Sturdy"]


def test_cached_answers_are_not_computed_again(notebook, monkeypatch):
    book = notebook({"sentiment": "pos", "topics": []})
    reviews = pd.DataFrame({"product": ["lamp", "lamp"], "text": ["Bright", "Dim"]})
    first = book.run(REVIEWS_CELL, reviews=reviews)
    monkeypatch.setattr(FakeBackend, "forward", None)
    again = book.run(REVIEWS_CELL, reviews=reviews.iloc[::-1])
    pd.testing.assert_frame_equal(again, first.iloc[::-1])
    with pytest.raises(TypeError):
        book.run(REVIEWS_CELL.replace(" --cache", ""), reviews=reviews)


@pytest.mark.parametrize(
    ("cell", "kind", "message"),
    [
        ("%%steer\nInvent three dogs", "CellSyntaxError", "the cell has no schema"),
        ("%%steer a: str\n\n", "CellSyntaxError", "the prompt is missing"),
        ('%%steer\n{"type" "object"}\nhi', "SchemaSyntaxError", "is not JSON"),
        ('%%steer\n{"type": "strin"}\nhi', "SchemaError", "strin"),
        ("%%steer\nname: str\nage: itn\n---\nhi", "SchemaSyntaxError", "(line 3, column 6)"),
        ("%%steer name: free text\nhi", "SchemaSyntaxError", "name: str  # free text"),
        ("%%steer Tickt\nhi", "SchemaError", "no schema named 'Tickt'; did you mean 'Ticket'?"),
        ("%%steer a: str\n{{ mial }}", "InterpolationError", "did you mean 'mail'?"),
        ("%%steer a: str --mnay\nhi", "OptionError", "did you mean '--many'?"),
        ("%%steer a: str -o 1x\nhi", "OptionError", "'1x' cannot be one"),
        ("%%steer a: str --top-p 2\nhi", "SamplingError", "top_p must be"),
        ("%%steer a: str --rows b\nhi", "FrameError", "there is no field 'b'"),
        ("%steer hlep", "CommandError", "did you mean 'help'?"),
    ],
)
def test_bad_input_is_one_line_and_a_failed_cell(cell, kind, message, notebook):
    with pytest.raises(CellError) as caught:
        notebook("").run(cell, Ticket=Invoice, mail="hello")
    [line] = caught.value._render_traceback_()
    assert line.startswith(f"{kind}: ")
    assert message in line
    assert "\n" not in line


def test_a_model_that_is_not_there_is_one_line(notebook):
    book = notebook("")
    book.session._open = open_engine
    with pytest.raises(CellError, match=r"there is no model file .*nope\.gguf"):
        book.run("%%steer a: str -m nope.gguf\nhi")


def test_a_failed_row_shows_what_it_had_written(notebook):
    book = notebook({"a": "x" * 99})
    with patch.object(Closer, "exceeded", lambda *_: None), pytest.raises(CellError) as caught:
        book.run("%%steer a: str --max-tokens 20\nhi")
    first, second = caught.value._render_traceback_()
    assert first.startswith("BudgetError: ")
    assert second.startswith('It had written: {"a": "xxx')


def test_an_interrupt_keeps_finished_rows_in_the_variable(notebook, interrupted):
    book = notebook("")
    dogs = [{"name": name, "age": 1} for name in ("Rex", "Ada")]
    book.session._open = interrupted(dogs, text="Ad")._open
    with pytest.raises(CellError, match=r"^stopped; 1 finished row is kept: in 'dogs'$"):
        book.run("%%steer name: str, age: int 0..9 --many -o dogs\nInvent dogs")
    assert book.shell.user_ns["dogs"]["name"].tolist() == ["Rex"]
    book.run("df = %steer last")
    assert book.shell.user_ns["df"].equals(book.shell.user_ns["dogs"])
    with pytest.raises(CellError, match=r"kept: df = %steer last$"):
        book.run("%%steer name: str, age: int 0..9 --many\nInvent dogs")


@pytest.mark.parametrize("cell", ["%%steer a: str\nhi", "%steer use big.gguf"])
def test_a_model_that_is_stopped_while_it_loads_costs_one_line(cell, notebook):
    def stop(_place):
        raise KeyboardInterrupt

    book = notebook("")
    book.session._open = stop
    with pytest.raises(CellError) as caught:
        book.run(cell)
    assert caught.value._render_traceback_() == [
        "SteerCancelled: stopped before the model was loaded; run the cell again"
    ]


def test_a_cell_that_is_stopped_before_it_asks_costs_one_line(notebook):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(CellError, match=r"^stopped; run the cell again$"):
        notebook("").run("%%steer a: str\n{{ stop() }}", stop=stop)


@pytest.mark.parametrize("over", ["texts", "iter(texts)"])
def test_a_model_that_breaks_leaves_its_finished_rows_in_the_variable(over, notebook):
    class Breaking(FakeBackend):
        def forward(self, runs):
            if self.n_calls == 10:
                raise BackendError("the card fell out")
            self.n_calls += 1
            return super().forward(runs)

        n_calls = 0

    book = notebook("")
    book.session._open = lambda _place: Engine(Breaking('{"n": 7}'))
    texts = [f"text {n}" for n in range(300)]
    with pytest.raises(CellError) as caught:
        book.run(f"%%steer n: int 0..9 --over {over} -o rated\n{{{{ text }}}}", texts=texts)
    rated = book.shell.user_ns["rated"]
    n_kept = int(rated["n"].notna().sum())
    assert n_kept > 0
    first, second = caught.value._render_traceback_()
    assert first == "BackendError: the card fell out"
    assert second == (
        f"{n_kept} finished rows are kept: in 'rated'; run the cell again to go on there"
    )
    assert book.run("last = %steer last\nlast").equals(rated)


def test_a_failed_cell_leaves_the_variable_alone(notebook):
    book = notebook({"a": "x" * 99})
    with pytest.raises(CellError):
        book.run("%%steer a: str --max-tokens 2 -o kept\nhi", kept=1)
    assert book.shell.user_ns["kept"] == 1


def test_quiet_shows_nothing(notebook):
    book = notebook({"a": "x"})
    with capture_output() as captured:
        assert book.run("%%steer a: str --quiet -o kept\nhi") is None
    assert (captured.stdout, captured.outputs) == ("", [])
    assert book.shell.user_ns["kept"]["a"].tolist() == ["x"]


def test_time_above_works(notebook):
    frame = notebook({"a": "x"}).run("%%time\n%%steer a: str\nhi\n")
    assert frame["a"].tolist() == ["x"]


def test_a_dry_run_shows_the_prompt_and_runs_nothing(notebook):
    with capture_output() as captured:
        book = notebook({"a": "x"})
        assert (
            book.run("%%steer a: str --dry-run -o kept --system 'Be brief.'\nhi {{ 1 + 1 }}")
            is None
        )
    shown = captured.outputs[0].data["text/plain"]
    assert "Be brief." in shown
    assert "hi 2" in shown
    assert "tokens; nothing was run" in shown
    assert "kept" not in book.shell.user_ns


def test_ipython_expands_nothing(notebook):
    book = notebook({"a": "x"})
    book.run("%%steer a: str\n{mail} and $mail and {{ mail }}", mail="M")
    assert book.session.last_run().job.prompts[0] == "{mail} and $mail and M"


def test_settings_of_the_shell_and_the_line(notebook, monkeypatch):
    book = notebook({"a": "x"})
    monkeypatch.setenv("STEERMAGIC_SEED", "1")
    book.run("%%steer a: str\nhi")
    assert book.session.last_run().job.options.seed == 1
    book.run("%config SteerMagic.seed = 2")
    book.run("%%steer a: str\nhi")
    assert book.session.last_run().job.options.seed == 2
    book.run("%%steer a: str --seed 3\nhi")
    assert book.session.last_run().job.options.seed == 3


def test_the_model_in_use_is_used(notebook):
    book = notebook({"a": "x"})
    book.run("%steer use big.gguf --as big")
    book.run("%%steer a: str\nhi")
    assert book.session.last_run().job.options.model == "big"
    assert list(book.session.loaded()) == ["big.gguf"]


@pytest.mark.parametrize("line", ["%steer explain a: str", "%%steer a: str\nhi"])
def test_the_model_of_the_settings_is_used(line, notebook, monkeypatch):
    book = notebook({"a": "x"})
    monkeypatch.setenv("STEERMAGIC_MODEL", "far.gguf")
    book.run(line)
    book.run("%config SteerMagic.model = 'near.gguf'")
    book.run(line)
    assert list(book.session.loaded()) == ["far.gguf", "near.gguf"]


def test_the_latest_of_use_and_config_holds(notebook, monkeypatch):
    book = notebook({"a": "x"})
    monkeypatch.setenv("STEERMAGIC_MODEL", "far.gguf")
    for line, model in [
        ("%config SteerMagic.model = 'a.gguf'", "a.gguf"),
        ("%steer use b.gguf", "b.gguf"),
        ("%config SteerMagic.seed = 1", "b.gguf"),
        ("%config SteerMagic.model = 'a.gguf'", "a.gguf"),
        ("%steer use b.gguf", "b.gguf"),
        ("%config SteerMagic.model = None", "far.gguf"),
    ]:
        book.run(line)
        book.run("%%steer a: str\nhi")
        assert book.session.last_run().job.options.model == model
        assert book.session.spec(None) == model


def test_loading_the_extension_registers_the_magics(shell):
    steermagic.load_ipython_extension(shell)
    magics = shell.find_cell_magic("steer").__self__
    assert magics is shell.find_line_magic("steer").__self__
    assert magics.session is shared_session()
    steermagic.load_ipython_extension(shell)
    assert [type(each).__name__ for each in shell.configurables].count("SteerMagic") == 1


def test_the_view_can_be_left_out(notebook):
    book = notebook({"a": "x"})
    n_callbacks = len(book.shell.events.callbacks["post_execute"])
    book.run("%%steer a: str --view off\nhi")
    book.run("%%steer a: str\nhi")
    assert len(book.shell.events.callbacks["post_execute"]) == n_callbacks


def test_help_is_the_docstring(notebook):
    book = notebook("")
    assert book.magics.steer.__doc__.startswith("A schema and a prompt in a cell become")
    with capture_output() as captured:
        book.run("%steer help")
    [shown] = captured.outputs
    assert shown.data["text/plain"] == book.magics.steer.__doc__
