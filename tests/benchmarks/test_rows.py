"""The comparison of rows per second: what is asked, how it is watched, counted and reported."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from many_rows.cases import FIELDS_OF, INSTRUCTION, read_posts, schema_of
from many_rows.driver import Driver, WorkerError
from many_rows.environments import Environments, MissingError
from many_rows.measuring import Case, Found, Plan, Turn, is_right, make_case, read_layout
from many_rows.profiling import profiled
from many_rows.reporting import print_found, ratios, summary
from many_rows.systems import OURS, SYSTEMS
from steer_engine import read_schema, validation_error
from steer_engine.models import embedded_path

ROWS = Path(__file__).parents[2] / "benchmarks" / "rows.py"
TURN = Turn(
    n_rows=4, n_wrong=0, cpu_s=2.0, wall_s=4.0, forward_cpu_s=1.5, forward_wall_s=3.0,
    n_calls=8, n_tokens=80, n_outputs=20, prompts_read=4, peak_bytes=10**6,
)  # fmt: skip


def run_rows(*arguments):
    return subprocess.run(
        [sys.executable, ROWS, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("schema", FIELDS_OF)
def test_every_known_answer_is_valid(schema):
    for post in read_posts(20):
        record = json.loads(post.answer(schema))
        assert list(record) == list(FIELDS_OF[schema])
        assert validation_error(read_schema(schema_of(schema)), record) is None


def test_what_is_to_be_copied_stands_in_the_post():
    for post in read_posts(20):
        for field in ("author", "link", "product", "city"):
            assert post.facts[field] in post.text


def test_no_two_posts_are_alike_however_many():
    texts = [post.text for post in read_posts(100)]
    assert len(set(texts)) == 100
    assert all(text.isascii() for text in texts)


def test_peers_take_turns_over_all_rows_and_ours_takes_all_of_them():
    plan = Plan(["outlines"], ["small"], 20, 3, 7, ())
    rows = range(20)
    shares = [list(rows[plan.share("outlines", i)]) for i in range(7)]
    assert sorted(chain(*shares)) == list(rows)
    assert {len(share) for share in shares} == {2, 3}
    assert list(rows[plan.share(OURS, 3)]) == list(rows)
    assert list(rows[replace(plan, n_peer_rows=30).share("outlines", 3)]) == list(rows)


@pytest.fixture(scope="module")
def cases():
    layout = read_layout(embedded_path())
    return [make_case(layout, post, "label", is_told=True) for post in read_posts(2)]


def test_a_case_holds_the_prompt_that_the_model_reads(cases):
    assert INSTRUCTION in cases[0].prompt
    assert read_posts(1)[0].text in cases[0].prompt
    assert cases[0].prompt.startswith(cases[1].prompt[: len(INSTRUCTION)])


@pytest.mark.parametrize("system", [OURS, "llama_cpp_python", "llama_cpp_python_llguidance"])
def test_the_oracle_makes_every_system_write_the_known_answer(system, cases):
    rows = [{"messages": c.messages, "prompt": c.prompt, "target": c.target} for c in cases]
    with Driver(Path(sys.executable), system) as driver:
        driver.order("open", model=str(embedded_path()), limits={"n_ctx": 1024})
        driver.order("prepare", schema=schema_of("label"))
        done = driver.order("answer", rows=rows)
    assert done["answers"] == [case.target for case in cases]
    assert done["prompts_read"] == 2
    assert 0 < done["forward_cpu_s"] < done["cpu_s"]
    assert 0 < done["n_calls"] <= done["n_outputs"] < done["n_tokens"]


def test_a_system_that_fails_says_why_in_one_line(cases):
    with Driver(Path(sys.executable), "unconstrained") as driver:
        with pytest.raises(WorkerError, match=r"^ValueError: Model path does not exist"):
            driver.order("open", model="/nowhere.gguf", limits={})
        with pytest.raises(WorkerError, match="AttributeError"):
            driver.order("answer", rows=[])


def test_a_system_whose_process_ends_says_so():
    with Driver(Path(sys.executable), "no such system") as driver:
        with pytest.raises(WorkerError, match="ended"):
            driver.order("open", model="", limits={})
        with pytest.raises(WorkerError, match="ended"):
            driver.order("open", model="", limits={})


@pytest.mark.parametrize(
    ("answer", "target", "right"),
    [
        ('{"urgent":true}', '{"urgent": true}', True),
        ('{"urgent": false}', '{"urgent": true}', False),
        ('{"urgent": tr', '{"urgent": true}', False),
        ('{"summary": "", "author": "", "link": ""}', None, True),
        ('{"summary": ""}', None, False),
    ],
)
def test_an_answer_is_right_if_it_is_the_known_one_or_else_valid(answer, target, right):
    assert is_right(Case([], "", target), answer, "small") is right


def test_the_profile_credits_what_a_module_calls_to_the_module():
    schema = {"type": "object", "properties": {"a": {"enum": list(range(50))}}}
    parts = profiled(lambda: [read_schema(schema) for _ in range(20)])
    assert max(parts.seconds, key=parts.seconds.__getitem__) == "schema"
    assert sum(parts.seconds.values()) <= parts.total_s
    assert parts.llguidance_s == 0


def found(**turns):
    systems = {OURS: [TURN, TURN], **turns}
    return Found(turns={"small": systems}, setup_s={"small": {}})


def test_a_ratio_pairs_what_was_measured_in_one_repetition():
    slow, slower = replace(TURN, cpu_s=6.0), replace(TURN, cpu_s=8.0, n_rows=2)
    turns = found(outlines=[slow, slower]).turns["small"]
    assert ratios(turns, "outlines") == pytest.approx([3.0, 8.0])


def test_the_summary_has_a_ratio_for_every_peer_and_null_with_a_reason_for_what_is_missing():
    measured = found(outlines=[replace(TURN, cpu_s=6.0, wall_s=8.0)])
    measured.missing["guidance"] = "not installed"
    last = summary({"embedded": measured}, [OURS, "outlines", "guidance"], simulated=[])
    assert {name for name in last if name.startswith("vs_")} == {
        f"vs_{system}" for system in SYSTEMS if system != OURS
    }
    assert last["vs_outlines"] == 3.0
    assert last["wall"]["vs_outlines"] == 2.0
    assert last["overhead"] == 0.25
    assert last["vs_guidance"] is None
    assert last["missing"]["guidance"] == "not installed"
    assert last["missing"]["unconstrained"] == "not asked for"
    assert json.loads(json.dumps(last)) == last


def test_the_table_tells_of_a_system_that_read_other_prompts(capsys):
    measured = found(outlines=[replace(TURN, prompts_read=3, n_wrong=1)])
    measured.missing["guidance"] = "not installed"
    measured.fails_with_amx = True
    measured.scale = [{"n_rows": 100, "cpu_s": 0.5, "peak_bytes": 2e6}]
    print_found("embedded", measured)
    lines = capsys.readouterr().out.splitlines()
    assert any("Outlines" in line and "1/4" in line and "1.00x" in line for line in lines)
    assert any("Outlines" in line and "other prompts" in line for line in lines)
    assert "guidance, llama.cpp is missing: not installed" in lines
    assert any("AMX would kill" in line for line in lines)
    assert any("100 rows: 5.00 ms a row, at most 2 MB" in line for line in lines)


def test_nothing_is_installed_unless_it_is_asked_for(tmp_path):
    environments = Environments(tmp_path, installs=False)
    assert environments.python(None) == Path(sys.executable)
    with pytest.raises(MissingError, match="outlines is not installed; a run without --quick"):
        environments.python("outlines")
    with pytest.raises(MissingError, match="--vocab"):
        environments.half_billion(tmp_path / "none.gguf")
    assert not list(tmp_path.iterdir())


def test_the_quick_run_ends_with_one_json_object(tmp_path):
    done = run_rows(
        "--quick", "--rows", "2", "--peer-rows", "1", "--repetitions", "1",
        "--schemas", "label", "--scale", "3",
        "--systems", "steermagic,llama_cpp_python,guidance", "--cache", tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["vs_llama_cpp_python"] > 0
    assert last["vs_guidance"] is None
    assert "guidance is not installed" in last["missing"]["guidance"]
    label = last["models"]["embedded"]["schemas"]["label"]
    assert label["systems"][OURS]["n_wrong"] == 0
    assert label["systems"]["llama_cpp_python"]["n_prompts_read"] == 1
    assert label["profile"]["forward"] > 0
    assert last["models"]["embedded"]["scale"][0]["n_rows"] == 3


@pytest.mark.parametrize(
    ("option", "value"), [("--schemas", "tiny"), ("--systems", "ours"), ("--rows", "0")]
)
def test_a_wrong_option_is_refused_before_any_work(option, value):
    done = run_rows(option, value)
    assert done.returncode == 2
    assert repr(value) in done.stderr
