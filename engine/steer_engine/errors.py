"""Every error that steer_engine raises on purpose.

::

    SteerError
    ├── SchemaError                 the schema cannot be used
    │   ├── SchemaSyntaxError       its text cannot be read (has .line and .column)
    │   ├── UnenforceableError      a keyword no mask can enforce (has .pointer and .keyword)
    │   └── UnsatisfiableError      no value can satisfy it
    ├── PromptError                 the prompt or its messages cannot be used
    │   └── PromptTooLongError      it does not fit the model's context
    ├── SamplingError               temperature, top_p, min_p or seed is out of range
    ├── ModelError                  a model cannot be found, read or loaded
    ├── BackendError                the native library failed while running
    │   └── ServerError             a model's server refuses, or broke off
    │       └── ServerLostError     it cannot be reached, or refuses everything
    ├── RowError                    one row could not be finished; the others go on
    │   ├── BudgetError             max_tokens is less than an answer needs
    │   └── TruncatedError          it was closed at its limit: valid, but cut short
    └── DefectError                 steermagic broke its own promise: please report it

A message is one line: what is wrong, where, and what to do next.
"""

from __future__ import annotations


class SteerError(Exception):
    """Base class of every error raised on purpose."""


class SchemaError(SteerError):
    """A schema cannot be used."""


class SchemaSyntaxError(SchemaError):
    """The text of a schema cannot be read.

    `line` and `column` count from 1 and point into the text as it was given.
    """

    def __init__(self, message: str, *, line: int, column: int) -> None:
        super().__init__(f"{message} (line {line}, column {column})")
        self.line = line
        self.column = column

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.args, self.__dict__)


class UnenforceableError(SchemaError):
    """A keyword cannot be enforced while decoding, so the schema is refused before any work."""

    def __init__(self, message: str, *, pointer: str, keyword: str) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.keyword = keyword

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.args, self.__dict__)


class UnsatisfiableError(SchemaError):
    """No value can satisfy the schema."""


class PromptError(SteerError):
    """A prompt, or the messages made from it, cannot be used."""


class PromptTooLongError(PromptError):
    """The prompt does not fit the model's context."""


class SamplingError(SteerError):
    """A sampling parameter is out of its range."""


class ModelError(SteerError):
    """A model cannot be found, read or loaded."""


class BackendError(SteerError):
    """The native library failed while it was running the model."""


class ServerError(BackendError):
    """A model's server refuses a request, or broke off again and again."""


class ServerLostError(ServerError):
    """A model's server cannot be reached, or refuses whatever it is asked: no row can be done."""


class RowError(SteerError):
    """One row could not be finished; the other rows are not affected."""


class BudgetError(RowError):
    """`max_tokens`, or what the context has room for, is less than the answer needs."""


class TruncatedError(RowError):
    """A row was closed at `max_tokens`, or where its context was full: valid, but cut short."""


class DefectError(SteerError):
    """steermagic broke a promise of its own; the message asks for a report."""


def _restore(
    kind: type[SteerError], args: tuple[object, ...], state: dict[str, object]
) -> SteerError:
    # Events carry errors between processes; keyword-only arguments need a hand when unpickled.
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def environment_error(problem: str) -> ModelError:
    """Return the error of a client that cannot be made with the proxies or certificates given."""
    return ModelError(
        f"the proxy or certificates in the environment cannot be used: {problem.rstrip('.')};"
        " look at HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR"
    )
