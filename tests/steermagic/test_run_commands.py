"""`%steer runs` and `%steer resume`."""

from __future__ import annotations

import re
import sqlite3

import numpy as np
import pandas as pd
import pytest
from IPython.utils.capture import capture_output

from steermagic.commands import run_command
from steermagic.display import SteerView
from steermagic.errors import CellError, CommandError
from steermagic.job import Job
from steermagic.judgements import Judgement
from steermagic.magics import SteerMagic
from steermagic.options import SteerOptions
from steermagic.schemas import read_source
from steermagic.store import Store

CELL = "%%steer n: int 0..9 --over texts -o kept\n{{ stop(text) }}"


class Stop:
    """Interrupts the run when its time has come."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at

    def __call__(self, text: str) -> str:
        if self.at is not None and text == f"text {self.at}":
            raise KeyboardInterrupt
        return text


@pytest.fixture
def book(notebook, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEERMAGIC_STORE", str(tmp_path / "runs.sqlite"))
    return notebook({"n": 7})


def shown(book, cell: str, **names) -> str:
    """Run a cell and return the text that it shows beside its value."""
    with capture_output() as captured:
        book.run(cell, **names)
    return "\n".join(output.data["text/plain"] for output in captured.outputs)


def restart(book) -> None:
    """Forget what a kernel forgets when it is started anew."""
    book.session = type(book.session)(book.session._open)
    book.magics = SteerMagic(book.shell, book.session)
    book.shell.register_magics(book.magics)
    for name in ("texts", "stop", "kept"):
        book.shell.user_ns.pop(name, None)


def interrupt(book, cell: str = CELL) -> list[str]:
    """Run a cell that is interrupted; return its texts."""
    texts = [f"text {n}" for n in range(400)]
    with pytest.raises(CellError, match="rows are kept"):
        book.run(cell, texts=texts, stop=Stop(at=300))
    return texts


def test_an_interrupted_cell_is_resumed_after_a_restart(book):
    texts = interrupt(book)
    n_kept = int(book.shell.user_ns["kept"]["n"].notna().sum())
    assert 0 < n_kept < 400
    restart(book)
    text = shown(book, "frame = %steer resume", texts=texts, stop=Stop())
    assert f"note: {n_kept} of 400 rows were finished before and are kept\n" in text
    assert book.shell.user_ns["kept"]["n"].tolist() == [7] * 400
    assert book.shell.user_ns["frame"] is book.shell.user_ns["kept"]
    place = book.session.store().place
    with pytest.raises(CellError) as caught:
        book.run("%steer resume")
    assert str(caught.value) == (
        f"no cell was broken off in the run store {place}; %steer runs lists all runs, and a cell"
        " with --store goes on when it is run again"
    )


def test_running_the_cell_again_does_the_same(book):
    texts = interrupt(book)
    assert "were finished before" in shown(book, CELL, texts=texts, stop=Stop())
    assert len(book.shell.user_ns["kept"]) == 400


def test_a_name_that_is_missing_is_told(book):
    interrupt(book)
    restart(book)
    with pytest.raises(CellError, match="there is no variable 'texts'"):
        book.run("%steer resume")


def test_a_resumed_cell_takes_rows_up_even_if_it_asks_for_fresh_ones(book):
    texts = interrupt(book, CELL.replace("-o kept", "--fresh -o kept"))
    assert "were finished before" in shown(book, "%steer resume", texts=texts, stop=Stop())


def test_a_resumed_cell_has_the_settings_and_the_model_that_it_had(book, monkeypatch):
    book.run("%steer use big.gguf --as big")
    monkeypatch.setenv("STEERMAGIC_SEED", "5")
    texts = interrupt(book)
    monkeypatch.delenv("STEERMAGIC_SEED")
    restart(book)
    book.run("%steer resume", texts=texts, stop=Stop())
    run = book.session.last_run()
    assert run.job.options.seed == 5
    assert list(book.session.loaded()) == ["big.gguf"]
    assert "were finished before" in run.notes[0]


def test_a_resumed_cell_has_its_model_if_the_alias_means_another_by_now(book):
    book.run("%steer use big.gguf --as big")
    texts = interrupt(book, CELL.replace("-o kept", "-m big -o kept"))
    restart(book)
    book.run("%steer use other.gguf --as big")
    text = shown(book, "%steer resume", texts=texts, stop=Stop())
    assert "were finished before" in text
    assert book.session.last_run().job.options.model == "big.gguf"
    assert book.session.spec("big") == "other.gguf"


@pytest.mark.parametrize("named", ["in the environment", "in the cell"])
def test_a_resumed_cell_goes_on_in_the_store_that_it_is_found_in(
    named, book, monkeypatch, tmp_path
):
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    monkeypatch.setenv("STEERMAGIC_STORE", str(old))
    cell = (
        CELL if named == "in the environment" else CELL.replace("-o kept", f"--store {old} -o kept")
    )
    texts = interrupt(book, cell)
    book.session.store().close()
    restart(book)
    old.rename(new)
    monkeypatch.setenv("STEERMAGIC_STORE", str(new))
    assert "were finished before" in shown(book, "%steer resume", texts=texts, stop=Stop())
    assert [run.state for run in book.session.store().runs()] == ["done", "continued"]
    assert not old.exists()


def test_commands_say_that_they_looked_in_memory(book, monkeypatch):
    monkeypatch.setenv("STEERMAGIC_STORE", "off")
    assert shown(book, "%steer runs") == "no run is stored yet in memory"


def test_a_resumed_cell_without_a_model_keeps_the_one_it_had(book):
    texts = interrupt(book)
    book.run("%steer use big.gguf")
    book.run("%steer resume", texts=texts, stop=Stop())
    assert book.session.last_run().job.options.model == "embedded"


def test_an_iterator_that_was_read_before_resumes_nothing(book):
    texts = iter([f"text {n}" for n in range(400)])
    with pytest.raises(CellError, match="rows are kept"):
        book.run(CELL, texts=texts, stop=Stop(at=300))
    kept, _ = book.shell.user_ns["kept"], [*texts]
    with pytest.raises(CellError, match="gave no rows; it can be read only once"):
        book.run("%steer resume")
    assert book.shell.user_ns["kept"] is kept


def test_one_of_several_runs_can_be_resumed(book):
    interrupt(book)
    first = book.session.last_run().id
    interrupt(book, CELL.replace("-o kept", "-o others").replace("0..9", "0..8"))
    texts = book.shell.user_ns["texts"]
    book.run(f"%steer resume {first[:10]}", texts=texts, stop=Stop())
    assert book.shell.user_ns["kept"]["n"].tolist() == [7] * 400
    with pytest.raises(CellError, match=rf"the run {first[:8]} is continued; there is nothing"):
        book.run(f"%steer resume {first[:10]}")


def test_a_call_of_the_function_is_resumed_by_calling_it_again(book):
    def stop(*_counts: int) -> None:
        raise KeyboardInterrupt

    book.session.run(Job(("hi",), read_source("n: int"), SteerOptions()), progress=stop)
    [stored] = book.session.store().runs()
    with pytest.raises(CommandError, match=r"begun by steermagic\.steer\(…\); call that again"):
        run_command(book.session, f"resume {stored.id}", {})
    with pytest.raises(CommandError, match="no cell was broken off"):
        run_command(book.session, "resume", {})


def test_the_function_says_what_it_took_up(book, monkeypatch):
    import steermagic

    monkeypatch.setattr("steermagic.session.shared_session", lambda: book.session)
    data = pd.DataFrame({"text": [f"text {n}" for n in range(400)]})
    broken = data.assign(text=data["text"].where(data.index != 300, None))
    assert len(steermagic.steer("{{ text }}", "n: int 0..9", over=broken)) == 400
    with book.session.store()._database.transaction() as connection:
        connection.execute("UPDATE runs SET state = 'interrupted'")
    with pytest.warns(UserWarning, match="399 of 400 rows were finished before and are kept"):
        steermagic.steer("{{ text }}", "n: int 0..9", over=data)


def test_the_function_takes_up_what_a_cell_of_the_same_settings_had_finished(book, monkeypatch):
    import steermagic

    monkeypatch.setattr("steermagic.session.shared_session", lambda: book.session)
    monkeypatch.setenv("STEERMAGIC_TEMPERATURE", "0.5")
    monkeypatch.setenv("STEERMAGIC_SEED", "1")
    texts = interrupt(book, CELL.replace("-o kept", "--seed 3 -o kept"))
    with pytest.warns(UserWarning, match="of 400 rows were finished before and are kept"):
        steermagic.steer("{{ text }}", "n: int 0..9", over=texts, seed=np.int64(3))


def test_runs_are_listed(book):
    place = book.session.store().place
    assert shown(book, "%steer runs") == f"no run is stored yet in the run store {place}"
    interrupt(book)
    book.run("%%steer n: int --over texts\n" + "{{ text }} " * 900, texts=["a"] * 2, stop=Stop())
    book.session.run(Job(("hi",), read_source("n: int"), SteerOptions()))
    head, function, failed, interrupted = shown(book, "%steer runs").splitlines()
    assert head.split() == ["id", "begun", "model", "rows", "state", "cell"]
    form = r"[0-9a-f]{8}  \d{4}-\d\d-\d\d \d\d:\d\d  fake   "
    assert re.fullmatch(form + r"1 of 1 +done +steermagic\.steer\(…\)", function)
    assert re.fullmatch(form + r"\d+ of 2(, 2 failed)? +done +%%steer n: int --over texts", failed)
    assert re.fullmatch(form + r"\d+ of 400 +interrupted +%%steer n: int 0\.\.9 .*", interrupted)


def test_a_long_list_is_cut(book, monkeypatch):
    monkeypatch.setattr("steermagic.run_commands._N_LISTED", 1)
    for _ in range(3):
        book.run(f"%%steer n: int --system '{'x' * 99}'\nhi")
    _, line, older = shown(book, "%steer runs").splitlines()
    assert line.endswith("x…")
    assert older == "… and 2 older runs"


def test_a_stored_run_can_be_looked_at(book):
    book.run(
        "%%steer n: int 0..9 --over texts --trace\n{{ text }}", texts=["a", "word " * 3000, "c"]
    )
    run = book.session.last_run()
    restart(book)
    text = shown(book, f"%steer runs show {run.id[:9]}")
    lines = text.splitlines()
    assert lines[0].startswith(f"{run.id[:12]} · done · begun 20")
    assert lines[1] == "2 of 3, 1 failed rows by fake"
    assert lines[3:5] == ["%%steer n: int 0..9 --over texts --trace", "{{ text }}"]
    assert lines[6].startswith("row 1: PromptTooLongError: ")
    frame = book.run("%steer last")
    assert frame["n"].tolist() == [7, pd.NA, 7]
    assert frame.steer.raw[0] == '{"n": 7}'
    view = run_command(book.session, "view", {})
    assert isinstance(view, SteerView)
    assert [step.spelling for step in view.steps] == [step.spelling for step in run.steps]


def test_a_run_of_this_kernel_is_shown_as_it_is(book):
    first = book.run("%%steer n: int -o first\nhi")
    run = book.session.last_run()
    book.run("%%steer n: int\nho")
    shown(book, f"%steer runs show {run.id}")
    assert book.session.last_run() is run
    assert book.run("%steer last").equals(first)


def test_a_run_that_lost_its_tokens_has_those_of_its_trace_again(book, monkeypatch):
    book.run("%%steer n: int --over t --trace -o kept\n{{ text }}", t=["a", "b"])
    run = book.session.last_run()
    monkeypatch.setattr("steermagic.session._MAX_STEPS", len(run.steps))
    book.run("%%steer n: int\nho")
    assert book.session.find_run(run.id).steps == ()
    shown(book, f"%steer runs show {run.id}")
    again = book.session.last_run()
    assert [step.spelling for step in again.steps] == [step.spelling for step in run.steps]
    assert book.run("last = %steer last\nlast").equals(book.shell.user_ns["kept"])


def test_runs_are_exported_and_pruned(book, tmp_path):
    for text in "ab":
        book.run(f"%%steer n: int 0..9\n{text}")
    run_id = book.session.last_run().id
    file = tmp_path / "my rows.csv"
    assert shown(book, f"%steer runs export {run_id} '{file}'") == f"1 row written to {file}"
    assert file.read_text() == "n\n7\n"
    book.shell.user_ns["kept"] = book.session.result(book.session.last_run())
    assert shown(book, f"%steer runs export kept '{file}'") == f"1 row written to {file}"
    assert shown(book, "%steer runs prune").startswith("0 runs and 0 answers taken out; ")
    assert shown(book, "%steer runs prune --keep 1").startswith("1 run and 1 answer taken out; ")
    assert re.search(r"; \d\.\d MB freed$", shown(book, "%steer runs prune --days 0"))
    assert shown(book, "%steer runs").startswith("no run is stored yet")


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame[frame["text"] == "a"],
        lambda frame: frame.assign(n=3),
        lambda frame: frame.assign(more=3),
        lambda frame: frame.steer.reviewed,
        lambda frame: frame["n"],
    ],
    ids=["filtered", "corrected", "with more", "reviewed", "a column"],
)
def test_a_frame_that_was_changed_is_not_exported_as_if_it_were_the_run(change, book, tmp_path):
    book.run("%%steer n: int 0..9 --over t -o kept\n{{ text }}", t=["a", "b"])
    book.shell.user_ns["changed"] = change(book.shell.user_ns["kept"])
    with pytest.raises(CellError, match=r"^'changed' is not as its cell gave it; write it by a"):
        book.run(f"%steer runs export changed {tmp_path}/changed.csv")
    assert [*tmp_path.glob("*.csv")] == []


def test_a_frame_with_its_answers_is_exported(notebook, monkeypatch, tmp_path):
    monkeypatch.setenv("STEERMAGIC_STORE", str(tmp_path / "runs.sqlite"))
    book = notebook({"tags": ["x"], "x": None, "d": {}})
    schema = "tags: list[str], x: float | None, d: dict[str, int]"
    book.run(f"%%steer {schema} --over t -o kept\n{{{{ text }}}}", t=["a", "b"])
    book.shell.user_ns["moved"] = book.shell.user_ns["kept"].set_index("text")
    for name in ("kept", "moved"):
        line = f"%steer runs export {name} {tmp_path}/kept.csv"
        assert shown(book, line).startswith("2 rows written")


def test_a_frame_that_does_not_know_its_run_says_so(book, tmp_path):
    pytest.importorskip("polars")
    book.run("%%steer n: int 0..9 --as polars -o kept\nhi")
    with pytest.raises(CellError, match=r"^'kept' does not know its run, only pandas frames of"):
        book.run(f"%steer runs export kept {tmp_path}/kept.csv")


@pytest.mark.parametrize("began_in", ["other.sqlite", "off", "a file/runs.sqlite"])
def test_a_run_is_found_where_it_began(began_in, book, tmp_path, monkeypatch):
    (tmp_path / "a file").touch()
    monkeypatch.setenv("STEERMAGIC_STORE", began_in)
    book.run("%%steer n: int 0..9 -o kept\nhi")
    run = book.session.last_run()
    monkeypatch.setenv("STEERMAGIC_STORE", str(tmp_path / "runs.sqlite"))
    monkeypatch.chdir("/")
    assert shown(book, f"%steer runs export kept {tmp_path}/kept.csv").startswith("1 row written")
    book.session.store_of(run).judge(run.id, (0, -1), Judgement("corrected", {"n": 3}))
    assert book.run("kept.steer.reviewed")["n"].tolist() == [3]
    assert book.session.store().judgements(run.id) == {}
    if began_in == "other.sqlite":
        assert Store(tmp_path / began_in).judgements(run.id)


def test_a_run_that_is_not_all_in_its_store_is_not_exported_in_part(book, tmp_path):
    def break_it(text: str) -> str:
        if text == "text 300":
            with sqlite3.connect(tmp_path / "runs.sqlite") as connection:
                connection.execute("DROP TABLE answers")
        return text

    book.run(CELL, texts=[f"text {n}" for n in range(400)], stop=break_it)
    with pytest.raises(CellError, match=r"^the run store has not all rows of 'kept'; write"):
        book.run(f"%steer runs export kept {tmp_path}/kept.csv")


@pytest.mark.parametrize("over", ["", " --over texts"], ids=["a list", "a list of each row"])
def test_a_list_that_was_stopped_halfway_is_not_exported_as_if_it_were_empty(
    over, shell, interrupted, monkeypatch, tmp_path
):
    monkeypatch.setenv("STEERMAGIC_STORE", str(tmp_path / "runs.sqlite"))
    session = interrupted([{"n": 1}, {"n": 2}, {"n": 3}], text='{"n": 2}')
    shell.register_magics(SteerMagic(shell, session))
    shell.user_ns.update(text="a", texts=["a"])
    with pytest.raises(CellError, match="stopped"):
        shell.run_cell(f"%%steer [n: int]{over} -o kept\n{{{{ text }}}}").raise_error()
    assert shell.user_ns["kept"]["n"].tolist() == [1]
    with pytest.raises(CommandError, match=r"^the run store has not all rows of 'kept'; write"):
        run_command(session, f"runs export kept {tmp_path}/kept.csv", shell.user_ns)
    assert not (tmp_path / "kept.csv").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("runs list", "write %steer runs, %steer runs show ID, %steer runs export ID FILE or"),
        ("runs show", "write %steer runs show ID; %steer runs lists them"),
        ("runs show zz", "there is no run 'zz'; %steer runs lists them"),
        ("runs export zz", "write %steer runs export ID FILE; FILE ends in .parquet, .csv or"),
        ("runs export zz a.csv", "there is no run 'zz'"),
        ("runs prune --keep", "write %steer runs prune, with --keep N runs or --days N if you"),
        ("runs prune --keep 1 --days 2", "write %steer runs prune, with"),
        (f"runs prune --keep {10**22}", "write %steer runs prune, with"),
        ("resume zz", "there is no run 'zz'"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(line, message, book):
    with pytest.raises(CommandError) as caught:
        run_command(book.session, line, {})
    assert str(caught.value).startswith(message)
