"""JupyterLab or Notebook 7 and Debian's Chromium, both without a screen; one server for all tests.

`CHROMIUM` names another browser of that kind. Without any, the tests are left out, which is said.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
HERE = Path(__file__).parent
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
READY_S = 60
# What the page shows as idle may be a kernel that is not connected yet: it loses what is run.
KERNEL_IS_READY = """() => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    const kernel = context?.isReady && context.session?.kernel;
    return kernel?.connectionStatus === "connected" && kernel.status === "idle";
}"""
TOKEN = "t0k"  # noqa: S105 - of a server that is gone with the test

collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]


def pytest_terminal_summary(terminalreporter):
    if not CHROMIUM:
        terminalreporter.write_line(
            "tests/browser was left out, for there is no Chromium: apt-get install chromium,"
            " or set CHROMIUM to the path of one"
        )


@pytest.fixture(scope="module")  # while Playwright runs, no other test may have an event loop
def browser():
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * READY_S)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=ARGUMENTS
        )
        yield browser
        browser.close()


class Server:
    """A Jupyter server with settings of its own; Lab and Notebook 7 are both on it."""

    def __init__(self, folder: Path) -> None:
        self.notebooks = folder / "notebooks"
        self.notebooks.mkdir()
        silent = folder / "settings/@jupyterlab/apputils-extension"
        silent.mkdir(parents=True)
        (silent / "notification.jupyterlab-settings").write_text(
            '{"fetchNews": "false", "checkForUpdates": false}'
        )
        (silent / "themes.jupyterlab-settings").write_text('{"adaptive-theme": true}')
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._log = folder / "server.log"
        folders = {
            "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "run", "IPYTHONDIR": "ipython",
            "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        }  # fmt: skip
        environment = {name: str(folder / path) for name, path in folders.items()}
        path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", "notebook", "--no-browser", "--allow-root",
                    "--ip=127.0.0.1", f"--port={self.url.rpartition(':')[2]}",
                    "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
                    f"--ServerApp.root_dir={self.notebooks}",
                    "--LabApp.expose_app_in_browser=True",
                    "--JupyterNotebookApp.expose_app_in_browser=True",
                ],
                env={**os.environ, **environment, "PYTHONPATH": path}, stdout=log,
                stderr=subprocess.STDOUT,
            )  # fmt: skip

    def wait(self) -> None:
        start = time.monotonic()
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()[-2000:]
            assert time.monotonic() - start < READY_S, self._log.read_text()[-2000:]
            time.sleep(0.1)

    def shut_kernels_down(self) -> None:
        with self._ask("GET", "kernels") as reply:
            kernels = json.load(reply)
        for kernel in kernels:
            self._ask("DELETE", f"kernels/{kernel['id']}").close()

    def _answers(self) -> bool:
        try:
            self._ask("GET", "status", timeout=1).close()
        except OSError:
            return False
        return True

    def _ask(self, method: str, what: str, timeout: float = READY_S):
        url = f"{self.url}/api/{what}?token={TOKEN}"
        request = urllib.request.Request(url, method=method)  # noqa: S310 - our own server
        return urllib.request.urlopen(request, timeout=timeout)  # noqa: S310

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    server.wait()
    yield server
    server.stop()


class OpenNotebook:
    """A notebook in a page."""

    def __init__(self, page, path: Path) -> None:
        self.page, self.path = page, path
        self.cells = page.locator(".jp-Notebook .jp-CodeCell")

    def prompt(self, i):
        return self.cells.nth(i).locator(".jp-InputArea-prompt")

    def outputs(self, i):
        return self.cells.nth(i).locator(".jp-OutputArea-output")

    def start(self, i):
        """Press Shift+Enter in a cell; again where it is lost, as while a kernel attaches."""
        from playwright.sync_api import expect

        before = self.prompt(i).inner_text()
        for _ in range(5):
            self.cells.nth(i).locator(".cm-content").click()
            self.page.keyboard.press("Shift+Enter")
            with suppress(AssertionError):
                expect(self.prompt(i)).not_to_have_text(before, timeout=2000)
                return
        raise AssertionError(f"cell {i} did not start")

    def wait(self, i, timeout=60_000):
        from playwright.sync_api import expect

        expect(self.prompt(i)).to_have_text(re.compile(r"\[\d+\]:"), timeout=timeout)

    def run(self, i):
        self.start(i)
        self.wait(i)
        return self.outputs(i).all_inner_texts()

    def save(self):
        """Save, and return what is on the disk then."""
        before = self.path.stat().st_mtime_ns
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+s")
        start = time.monotonic()
        # While the server writes it, the file is there and not whole.
        while self.path.stat().st_mtime_ns == before or self.path.read_bytes()[-2:] != b"}\n":
            assert time.monotonic() - start < READY_S, "the notebook is not saved"
            self.page.wait_for_timeout(50)
        return nbformat.read(self.path, as_version=4)


@pytest.fixture
def open_notebook(server, browser, request):
    """Open cells, or a notebook that is there, in Lab or with `app="notebooks"` in Notebook 7.

    Whatever the page asks of the network, and what it has to complain about, fails the test.
    """
    contexts, outside, complaints = [], [], []
    own = (server.url, server.url.replace("http", "ws"), "data:", "blob:")

    def open_(cells=None, *, name=None, app="doc/tree", theme="light", viewport=(1100, 900)):
        name = name or re.sub(r"\W+", "_", request.node.name) + ".ipynb"
        path = server.notebooks / name
        if cells is not None:
            notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])
            notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
            nbformat.write(notebook, path)
        width, height = viewport
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: None if r.url.startswith(own) else outside.append(r.url))
        page.on(
            "console",
            lambda m: (
                complaints.append(f"{m.text} {m.location['url']}") if m.type == "error" else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{server.url}/{app}/{name}?reset&token={TOKEN}", wait_until="domcontentloaded")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=READY_S * 1000)
        page.wait_for_function(KERNEL_IS_READY, timeout=READY_S * 1000)
        complaints.clear()  # those of the application itself, while it starts
        return OpenNotebook(page, path)

    yield open_
    for context in contexts:
        context.close()
    server.shut_kernels_down()
    assert outside == []
    assert complaints == []
