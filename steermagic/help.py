"""The text of `%steer help` and `%%steer?`: made from the tables that the magics use."""

from __future__ import annotations

from collections.abc import Iterable

from steermagic.options import OPTIONS, Option

_CELLS = """\
A schema and a prompt in a cell become a DataFrame.

On the line:

    %%steer name: str, age: int, superpower: str --many
    Invent three cool dogs

Above a line ---, one field a line, with {{ expressions }} in the prompt:

    %%steer -o ticket
    subject: str
    urgency: "low" | "medium" | "high"  # how fast must we answer
    due: date | None
    ---
    Extract the ticket from this mail:
    {{ mail }}

As the name of a Pydantic class, dataclass, TypedDict or dict, as a .json file, or as JSON Schema at
the start of the cell:

    %%steer Invoice --rows lines
    {{ pdf_text }}

Instead of a schema, an option says which text the answer is; then the whole cell is the prompt:

    %%steer --choices praise,complaint,question --over mails
    What kind of mail is this? {{ text }}

    %%steer --regex "[A-Z]{2}-\\d{4}"
    Invent an order number

Types: str int float bool date datetime time email url uuid, "a" | "b", T | None, list[T],
dict[str, T], int 0..120, /regex/, verbatim (copied from the prompt). A comment after a field tells
the model what is meant.
In a prompt, \\{{ is a literal {{, and {{ schema }} says where the model is told the schema.

The Tab key completes options and their values, models, types, names of schemas and tables, and
inside {{ your variables and the columns of --over. %%steer? and %steer help show this text."""

_RESULTS = """\
A frame knows where it came from: df.steer.confidence, .alternatives, .doubtful, .evidence,
.thoughts, .tokens and .errors; df.steer.review() has you judge its rows, one key a row.
steermagic.steer() is %%steer as a function; steermagic.SchemaEditor() edits a schema as rows in the
page and stands in place of its name; steermagic.playground() has two settings side by side."""

_ROWS = """\
Every finished row is stored at once. After an interrupt or a crash, run the cell again (or %steer
resume): the rows that were finished are kept. With --cache so are those of runs that ended."""

_SETTINGS = """\
Settings: %config SteerMagic.temperature = 0.7, the environment variable STEERMAGIC_TEMPERATURE, or
temperature = 0.7 under [tool.steermagic] in pyproject.toml. What stands in the cell wins."""


def make_help(commands: Iterable[tuple[str, str]]) -> str:
    """Return the whole text; `commands` are the uses of `%steer` with what each does."""
    options = _table((_usage(option), option.help) for option in OPTIONS if option.flags)
    parts = (
        _CELLS,
        f"Options:\n{options}",
        f"Commands:\n{_table(commands)}",
        _RESULTS,
        _ROWS,
        _SETTINGS,
    )
    return "\n\n".join(parts)


def _usage(option: Option) -> str:
    return f"{', '.join(option.flags)} {option.example}".rstrip()


def _table(rows: Iterable[tuple[str, str]]) -> str:
    listed = list(rows)
    width = max(len(left) for left, _ in listed)
    return "\n".join(f"    {left:<{width}}  {right}" for left, right in listed)
