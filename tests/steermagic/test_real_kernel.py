"""Cells in a real kernel with the embedded model: what a user sees when something is wrong."""

import os
import re
import threading
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from steer_engine.models import embedded_path

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Kernel:
    """Runs one cell at a time; gives back its error and the text of its outputs."""

    def __init__(self):
        self._manager, self._client = start_new_kernel(kernel_name="python3")

    def run(self, code, *, interrupt_after_s=None):
        shown = []

        def keep(message):
            kind, content = message["msg_type"], message["content"]
            if kind in ("display_data", "execute_result"):
                shown.append(content["data"].get("text/plain", ""))
            elif kind == "update_display_data":
                shown[-1] = content["data"]["text/plain"]
            elif kind == "stream":
                shown.append(content["text"])

        if interrupt_after_s is not None:
            threading.Timer(interrupt_after_s, self._manager.interrupt_kernel).start()
        reply = self._client.execute_interactive(code, output_hook=keep, timeout=180)["content"]
        return (reply if reply["status"] == "error" else None), shown

    def restart(self):
        self._manager.restart_kernel(now=True)
        self._client.wait_for_ready(timeout=60)

    def close(self):
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    kernel = Kernel()
    folder = tmp_path_factory.mktemp("models")
    (folder / "cut.gguf").write_bytes(embedded_path().read_bytes()[:100_000])
    (folder / "text.gguf").write_text("hello")
    setup = f"import os\nos.chdir({str(folder)!r})\n%load_ext steermagic\nmail = 'hi'"
    assert kernel.run(setup) == (None, [])
    yield kernel
    kernel.close()


BAD_CELLS = {
    "no schema": ("%%steer\nExtract it", "the cell has no schema"),
    "malformed JSON": ('%%steer\n{"type": "object",}\nhi', "line 2, column 19"),
    "not a schema": ('%%steer\n{"type": "strin"}\nhi', "did you mean 'string'"),
    "unknown type": ("%%steer\na: strng\n---\nhi", "did you mean 'str'"),
    "undefined name": ("%%steer a: str\n{{ mial }}", "did you mean 'mail'"),
    "unknown option": ("%%steer a: str --man\nhi", "did you mean '--many'"),
    "no model file": ("%%steer a: str -m cutt.gguf\nhi", "did you mean cut.gguf"),
    "not a model": ("%%steer a: str -m text.gguf\nhi", "is not a GGUF file"),
    "a truncated model": ("%%steer a: str -m cut.gguf\nhi", "fetch it again"),
    "a prompt too long": ("%%steer a: str\n{{ 'word ' * 5000 }}", "reads at most 2048"),
    "unsatisfiable": ("%%steer a: int 9..1\nhi", "9"),
    "unsatisfiable list": (
        '%%steer\n{"type": "array", "items": false, "contains": true}\nhi',
        "can satisfy this schema",
    ),
    "out of budget": ("%%steer a: str --max-tokens 6\nhi", "raise max_tokens"),
}


@pytest.mark.parametrize("name", BAD_CELLS)
def test_bad_input_is_a_short_error_that_says_what_to_do(kernel, name):
    code, words = BAD_CELLS[name]
    error, _ = kernel.run(code)
    assert error is not None
    assert words in error["evalue"]
    assert len("\n".join(error["traceback"]).splitlines()) <= 2


@pytest.mark.parametrize(
    ("data", "prompt"),
    [
        ("[f'The number is {i}.' for i in range(100_000)]", "{{ text }}"),
        ("(f'The number is {i}.' for i in itertools.count())", "{{ text }}"),
        ("[f'The number is {i}.' for i in range(1000)]", "{{ time.sleep(0.01) or text }}"),
    ],
    ids=["a long table", "an endless iterator", "prompts that take their time"],
)
def test_an_interrupt_keeps_the_finished_rows_and_the_kernel(kernel, data, prompt):
    kernel.run("%%steer n: int --max-tokens 30\nwarm up")
    assert kernel.run(f"import itertools, time\ntexts = {data}") == (None, [])
    cell = f"%%steer n: int --over texts -o kept\n{prompt}"
    error, _ = kernel.run(cell, interrupt_after_s=3)
    assert "SteerCancelled" in error["traceback"][0]
    n_finished = int(re.search(r"(\d+) finished rows are kept: in 'kept'", error["evalue"])[1])
    assert n_finished > 1
    assert kernel.run("int(kept['n'].notna().sum())")[1] == [str(n_finished)]
    first = "kept['text'].iloc[0], kept['n'].iloc[0] is not pd.NA"
    assert kernel.run(f"import pandas as pd\n{first}")[1] == ["('The number is 0.', True)"]
    error, shown = kernel.run("'still here'")
    assert error is None
    assert shown == ["'still here'"]


def test_a_cell_shows_the_view_and_its_frame_below_it(kernel):
    error, [view, frame] = kernel.run("%%steer -o one\na: int\n---\nThe number is 7.")
    assert error is None
    assert view.startswith("steermagic-tiny · ")
    assert frame.split()[0] == "a"
    assert kernel.run("_ is one")[1] == ["True"]


@pytest.fixture
def mortal_kernel(tmp_path):
    kernel = Kernel()
    store = f"%config SteerMagic.store = {str(tmp_path / 'runs.sqlite')!r}"
    yield kernel, f"%load_ext steermagic\n{store}\n"
    kernel.close()


PROCESS = "shared_session().engine(None).process_id"


DYING = """
import os
from steermagic.session import shared_session
def dying(texts):
    for i, text in enumerate(texts):
        if i == 280:  # some 130 rows are taken ahead
            os.kill(shared_session().engine(None).process_id, 9)
        yield text
whole = [f"Order {i} is here." for i in range(300)]
texts = dying(whole)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_the_death_of_the_models_process_costs_one_line(mortal_kernel):
    kernel, load = mortal_kernel
    kernel.run(load + DYING)
    cell = "%%steer n: int --over texts -o rows\n{{ text }}"
    error, _ = kernel.run(cell)
    assert error["evalue"].startswith("the model's process died (it was killed")
    told = "\n".join(error["traceback"])
    assert "finished rows are kept: in 'rows'; run the cell again to go on there" in told
    kernel.run("last = %steer last")
    assert kernel.run("rows['n'].count() > 0 and rows.equals(last)")[1] == ["True"]
    kernel.run("texts = whole")
    error, shown = kernel.run(cell)
    assert error is None
    assert any(re.match(r"note: \d+ of 300 rows were finished before", line) for line in shown)
    assert kernel.run("len(rows), int(rows['n'].isna().sum())")[1] == ["(300, 0)"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
def test_unloading_ends_the_models_process(mortal_kernel):
    kernel, load = mortal_kernel
    kernel.run(load + "from steermagic.session import shared_session")
    _, [process] = kernel.run(PROCESS)
    assert Path(f"/proc/{process}").exists()
    assert kernel.run("%steer unload")[1] == ["1 model unloaded"]
    assert not Path(f"/proc/{process}").exists()
    assert kernel.run("%%steer n: int\nThe number is 7.")[0] is None


def test_a_model_can_be_loaded_in_the_kernel_itself(mortal_kernel):
    kernel, load = mortal_kernel
    kernel.run(load + "from steermagic.session import shared_session")
    assert kernel.run("%config SteerMagic.isolate = False")[0] is None
    assert kernel.run("type(shared_session().engine(None)).__name__")[1] == ["'Engine'"]


def test_a_cell_is_resumed_after_the_kernel_was_killed(mortal_kernel):
    kernel, load = mortal_kernel
    texts = "texts = [f'Order {{i}} is here.' for i in range({})]"
    kernel.run(load + texts.format(5000))
    cell = "%%steer n: int --over texts -o rows\n{{ text }}"
    error, _ = kernel.run(cell, interrupt_after_s=4)
    assert "SteerCancelled" in error["traceback"][0]
    _, [before] = kernel.run("rows['n'][:5].tolist()")
    kernel.restart()
    kernel.run(load)
    error, _ = kernel.run("%steer resume")
    assert "there is no variable 'texts'" in error["evalue"]
    kernel.run(texts.format(5))
    error, shown = kernel.run("again = %steer resume")
    assert error is None
    assert "note: 5 of 5 rows were finished before and are kept" in shown
    assert kernel.run("again is rows, rows['n'].tolist()")[1] == [f"(True, {before})"]
