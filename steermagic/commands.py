"""The commands of `%steer`. Each returns what is to be shown, or a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from steer_engine import (
    EMBEDDED,
    ModelInfo,
    embedded_card,
    write_json,
    write_notation,
    write_pydantic,
)
from steermagic.accessor import find_attached
from steermagic.catalogue_view import models_lines, plan_lines
from steermagic.cell import SchemaText
from steermagic.display import SteerView, Text, view_of
from steermagic.errors import CommandError, did_you_mean
from steermagic.explaining import ExplanationTable
from steermagic.forms import find_answer
from steermagic.help import make_help
from steermagic.line import read_line
from steermagic.options import read_options
from steermagic.prompt import user_names
from steermagic.review import min_confidence, review_table
from steermagic.run_commands import export, list_runs, prune, resume, show_run
from steermagic.schemas import find_schema
from steermagic.session import Session

Namespace: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Command:
    """One `%steer NAME`: `run` gets the rest of the line."""

    usage: str
    help: str
    run: Callable[[Session, str, Namespace], object]


def run_command(session: Session, line: str, namespace: Namespace) -> object:
    """Run the command that `line` asks for; the empty line asks for the status.

    Raises:
        CommandError: there is no such command, or it cannot do this.
    """
    name, _, rest = line.strip().partition(" ")
    second, _, after = rest.strip().partition(" ")
    if f"{name} {second}" in COMMANDS:
        name, rest = f"{name} {second}", after
    command = COMMANDS.get(name)
    if command is None:
        hint = did_you_mean(name, COMMANDS) or "; %steer help lists them"
        raise CommandError(f"unknown command %steer {name}{hint}")
    return command.run(session, rest.strip(), namespace)


def help_text() -> str:
    """Return what `%steer help` and `%%steer?` show."""
    return make_help((command.usage, command.help) for command in COMMANDS.values())


def _status(session: Session, _rest: str, _namespace: Namespace) -> Text:
    loaded = [f"loaded: {_described(info)}" for info in session.loaded().values()]
    in_use = f"model in use: {session.in_use}"
    return Text("\n".join([in_use, *(loaded or ["no model is loaded yet"])]))


def _use(session: Session, rest: str, _namespace: Namespace) -> Text:
    model, _, alias = (part.strip().strip("\"'") for part in rest.partition(" --as "))
    if not model or " --" in f" {model}":
        raise CommandError("write %steer use MODEL, or %steer use MODEL --as ALIAS")
    if alias and not alias.isidentifier():
        raise CommandError(f"an alias is one word of letters, digits and _, not {alias!r}")
    info = session.use(model, alias=alias or None)
    return Text(f"model in use: {_described(info)}")


def _models(session: Session, rest: str, _namespace: Namespace) -> Text:
    if rest == EMBEDDED:
        return Text(embedded_card())
    if rest:
        raise CommandError(f"there is a card of the embedded model only: %steer models {EMBEDDED}")
    return Text("\n".join(models_lines(session.aliases, session.loaded())))


def _plan(session: Session, rest: str, _namespace: Namespace) -> Text:
    return Text("\n".join(plan_lines(rest, session.aliases, session.spec(None))))


def _schema(_session: Session, rest: str, namespace: Namespace) -> Text:
    if not rest:
        raise CommandError("write %steer schema NAME, or the schema itself in place of NAME")
    schema = find_schema(SchemaText(rest, line=1, column=len("%steer schema ") + 1), namespace)
    forms = {
        "compact": write_notation(schema.schema),
        "Pydantic": write_pydantic(schema.schema),
        "JSON Schema": write_json(schema.schema, indent=2),
    }
    return Text(
        "\n\n".join(
            f"# {name}\n{text or '(cannot say this schema exactly)'}"
            for name, text in forms.items()
        )
    )


def _explain(session: Session, rest: str, namespace: Namespace) -> ExplanationTable:
    line = read_line(rest)
    options = read_options(line.options, session.settings())
    written = line.text.strip()
    if bool(written) == bool(options.form):
        raise CommandError("write %steer explain SCHEMA, or --regex, --choices or --grammar")
    start = len("%steer explain ") + len(line.text) - len(line.text.lstrip())
    schema = SchemaText(written, line=1, column=start + 1) if written else None
    found = find_answer(schema, options, namespace)
    engine = session.engine(options.model)
    return ExplanationTable(engine.explain(found.asked), engine.info.name)


def _last(session: Session, rest: str, _namespace: Namespace) -> object:
    if rest:
        raise CommandError("write %steer last, or %steer runs show ID for an older result")
    run = session.last_run()
    if run.records or not (run.rows or run.is_cancelled or run.error):
        return session.result(run)
    errors = [*([run.error] if run.error else []), *run.errors.values()]
    problems = [f"{type(error).__name__}: {error}" for error in errors] or ["stopped"]
    return Text("\n".join([*problems, *(row.text for row in run.rows)]))


def _doubtful(session: Session, rest: str, _namespace: Namespace) -> object:
    run = session.last_run()
    if not rest:
        return review_table(run, min_confidence(run))
    try:
        return review_table(run, float(rest))
    except ValueError:
        raise CommandError("write %steer doubtful, or %steer doubtful 0.5") from None


def _view(session: Session, rest: str, namespace: Namespace) -> SteerView:
    if not rest:
        run = session.last_run()
        return view_of(run)
    if rest not in namespace:
        raise CommandError(
            f"there is no variable {rest!r}{did_you_mean(rest, user_names(namespace))}"
        )
    attached = find_attached(namespace[rest], session.find_run)
    if attached is None:
        raise CommandError(f"{rest!r} is not a frame of one of the last %%steer cells")
    return view_of(attached)


def _unload(session: Session, rest: str, _namespace: Namespace) -> Text:
    if rest:
        raise CommandError("write %steer unload; it frees the memory of all models")
    n_models = session.unload()
    return Text(f"{n_models} model{'s' * (n_models != 1)} unloaded")


def _help(_session: Session, _rest: str, _namespace: Namespace) -> Text:
    return Text(help_text())


def _described(info: ModelInfo) -> str:
    size = f"{info.n_params / 1e9:.1f}B" if info.n_params >= 1e9 else f"{info.n_params / 1e6:.1f}M"
    # A server may not tell all of it.
    parts = (
        info.name,
        info.architecture,
        f"{size} parameters" if info.n_params else "",
        info.quantization,
        f"reads {info.context_length} tokens" if info.context_length else "",
    )
    return " · ".join(part for part in parts if part)


COMMANDS: Mapping[str, Command] = {
    "": Command("%steer", "the model in use, and what is loaded", _status),
    "use": Command("%steer use MODEL [--as ALIAS]", "load a model and use it from now on", _use),
    "models": Command(
        "%steer models [embedded]", "the models on this machine; the embedded one's card", _models
    ),
    "plan": Command(
        "%steer plan [MODEL] [--ctx N] [--slots N]", "the memory it takes; nothing is loaded", _plan
    ),
    "schema": Command("%steer schema NAME", "a schema in its three written forms", _schema),
    "explain": Command("%steer explain SCHEMA", "how each keyword of it is enforced", _explain),
    "last": Command("%steer last", "the last result, also after a stop or a failure", _last),
    "doubtful": Command(
        "%steer doubtful [P]", "its rows with a value below --min-confidence, or P", _doubtful
    ),
    "view": Command("%steer view [VAR]", "all tokens of the last result, or of VAR", _view),
    "resume": Command("%steer resume [ID]", "go on with the last cell that was broken off", resume),
    "runs": Command("%steer runs", "the runs whose rows are stored", list_runs),
    "runs show": Command(
        "%steer runs show ID", "a stored run; then it is the last result", show_run
    ),
    "runs export": Command(
        "%steer runs export ID FILE", "its rows, or a frame's, as .parquet, .csv or .jsonl", export
    ),
    "runs prune": Command(
        "%steer runs prune [--keep N | --days N]", "take out old runs (30 days)", prune
    ),
    "unload": Command("%steer unload", "free the memory of all models", _unload),
    "help": Command("%steer help", "this text", _help),
}
