import pytest

from steer_engine import Clause, Explanation
from steermagic.commands import run_command
from steermagic.errors import CommandError
from steermagic.explaining import ExplanationTable

EXPLANATION = Explanation(
    (
        Clause("", "type", "masked"),
        Clause("/properties/a", "uniqueItems", "guarded", "the mask does not compare <items>"),
    ),
    shortest='{"a": []}',
    n_shortest_tokens=6,
    first_tokens=(b"{", b'{"', b"\n"),
    n_first_tokens=5,
)


def test_an_explanation_is_a_table_with_notes():
    assert repr(ExplanationTable(EXPLANATION, "fake")).splitlines() == [
        "enforced  keyword      at             why",
        "masked    type         the root",
        "guarded   uniqueItems  /properties/a  the mask does not compare <items>",
        "",
        "masked: tokens that would break it cannot be chosen",
        "guarded: checked while the value is written, and taken back if it would break",
        'shortest value: 6 tokens: {"a": []}',
        "begins with: 5 tokens of fake: { {\" '\\n' and 2 more",
    ]


def test_in_a_notebook_it_is_html_without_styles_that_a_page_would_drop():
    html = ExplanationTable(EXPLANATION, "fake")._repr_html_()
    assert "the mask does not compare &lt;items&gt;" in html
    assert html.count("<tr>") == 3
    assert "<style" not in html
    assert html.count("class=") == 1
    assert 'class="tex2jax_ignore mathjax_ignore"' in html


def test_names_cannot_act_on_what_stands_around_them():
    name = "a\nb\t\x1b[31m\u202e"
    clauses = (Clause(f"/properties/{name}", "type", "guarded", name),)
    table = ExplanationTable(Explanation(clauses, shortest=f'{{"{name}": 1}}'), "fake")
    assert repr(table).splitlines()[1].count(r"a\nb\t\x1b[31m\u202e") == 2
    for shown in (repr(table), table._repr_html_()):
        assert not {"\x1b", "\u202e"} & {*shown}


def test_a_refused_schema_has_no_shortest_value():
    refused = Explanation((Clause("", "", "refused", "no value"),))
    text = repr(ExplanationTable(refused, "fake"))
    assert "refused: no cell can use this schema" in text
    assert "shortest" not in text
    assert "begins" not in text


@pytest.mark.parametrize(
    "line",
    [
        "a: str, b: int",
        '{"type": "object", "properties": {"a": {"type": "string"}}}',
        "SCHEMA",
        "--choices red,blue",
        '--regex "[a-z]+"',
        "--grammar g",
    ],
)
def test_whatever_a_cell_can_ask_for_can_be_explained(wishing, line):
    names = {"SCHEMA": {"type": "integer"}, "g": 'root ::= "a"'}
    shown = repr(run_command(wishing(""), f"explain {line}", names))
    assert "masked" in shown
    assert "begins with" in shown


@pytest.mark.parametrize("line", ["", "a: str --choices b,c"])
def test_an_explanation_needs_one_thing_to_explain(wishing, line):
    with pytest.raises(CommandError, match="write %steer explain"):
        run_command(wishing(""), f"explain {line}", {})


def test_the_command_shows_its_table(notebook, capsys):
    assert notebook("").run("%steer explain a: int") is None
    assert "masked" in capsys.readouterr().out
