"""Sessions and shells over a model of no weights: the real engine, with a favourite answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from steer_engine import Engine
from steer_engine.backends.fake import FakeBackend
from steermagic.magics import SteerMagic
from steermagic.session import Session

Wish = Callable[[object], Session]


def session_for(wish: object) -> Session:
    """A session whose every model wants to answer `wish`, a text or a JSON value."""
    text = wish if isinstance(wish, str) else json.dumps(wish, ensure_ascii=False)
    return Session(lambda _spec: Engine(FakeBackend(text)))


class InterruptedBackend(FakeBackend):
    """A model whose user presses Ctrl-C once it has written `text`."""

    def __init__(self, wish: str, *, text: str) -> None:
        super().__init__(wish)
        self._text = text.encode()

    def forward(self, runs):
        logits = super().forward(runs)
        if self._text in self.vocabulary.spell(self._slots[0]):
            raise KeyboardInterrupt
        return logits


@pytest.fixture
def interrupted() -> Callable[..., Session]:
    def make(wish: object, *, text: str) -> Session:
        return Session(lambda _spec: Engine(InterruptedBackend(json.dumps(wish), text=text)))

    return make


@pytest.fixture
def wishing() -> Wish:
    return session_for


@pytest.fixture(scope="session")
def _shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def shell(_shell: InteractiveShell) -> InteractiveShell:
    _shell.reset(new_session=True)
    _shell.config.pop("SteerMagic", None)  # what %config set in an earlier test
    return _shell


class Notebook:
    """A shell with the extension loaded, whose model wants to answer what the test says."""

    def __init__(self, shell: InteractiveShell, wish: object) -> None:
        self.shell = shell
        self.session = session_for(wish)
        self.magics = SteerMagic(shell, self.session)
        shell.register_magics(self.magics)

    def run(self, cell: str, **variables: object) -> object:
        """Run a cell and return its value; the error of a cell that fails is raised."""
        self.shell.user_ns.update(variables)
        outcome = self.shell.run_cell(cell)
        outcome.raise_error()
        return outcome.result


@pytest.fixture
def notebook(shell: InteractiveShell) -> Callable[[object], Notebook]:
    return lambda wish: Notebook(shell, wish)
