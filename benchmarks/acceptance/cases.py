"""The schemas and instances that are judged: MaskBench, and the official JSON Schema test suite."""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from steer_engine.schema import JsonSchema, JsonValue

DRAFTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}
"""Folders of the suite, and the dialect that each implies."""

_REMOTE_BASE = "http://localhost:1234/"  # where the suite's schemas expect its remotes


@dataclass(frozen=True, slots=True)
class Instance:
    """A value, and whether its schema allows it."""

    value: JsonValue
    is_valid: bool
    description: str


@dataclass(frozen=True, slots=True)
class Case:
    """A schema and its instances. `section` and `keyword` are the rows of tables it counts in."""

    name: str
    section: str
    keyword: str
    schema: JsonSchema
    instances: tuple[Instance, ...]
    resources: Mapping[str, JsonSchema] = field(default_factory=dict)

    @property
    def is_draft4(self) -> bool:
        """Whether the schema says that it is of draft 4."""
        return isinstance(self.schema, dict) and "draft-04" in str(self.schema.get("$schema"))


def read_maskbench(path: Path) -> list[Case]:
    """Return the cases of a MaskBench file: one JSON object a line, plain or xz."""
    data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    return [_maskbench_case(json.loads(line)) for line in data.splitlines() if line.strip()]


def _maskbench_case(record: dict[str, JsonValue]) -> Case:
    name = str(record["id"])
    section = name.partition("---")[0]
    for family in ("BFCL", "JME"):
        section = family if section.startswith(family) else section
    return Case(name, f"maskbench {section}", "", record["schema"], _instances(record["tests"]))


def read_suite(folder: Path, remotes: Path | None = None) -> list[Case]:
    """Return the cases of the official suite; `folder` holds one folder for each draft."""
    tests = folder / "tests" if (folder / "tests").is_dir() else folder
    remotes = remotes or tests.parent / "remotes"
    return [case for draft in DRAFTS for case in _draft_cases(tests / draft, _resources(remotes))]


def _draft_cases(folder: Path, resources: Mapping[str, JsonSchema]) -> Iterator[Case]:
    for path in sorted(folder.rglob("*.json")):
        part = path.parent.relative_to(folder).as_posix().replace(".", "main")
        for group in json.loads(path.read_text("utf-8")):
            yield Case(
                f"{folder.name}/{path.relative_to(folder)}: {group['description']}",
                f"{folder.name} {part}",
                path.stem,
                _with_dialect(group["schema"], DRAFTS[folder.name]),
                _instances(group["tests"]),
                resources,
            )


def _resources(folder: Path) -> dict[str, JsonSchema]:
    return {
        _REMOTE_BASE + path.relative_to(folder).as_posix(): json.loads(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.json"))
    }


def _with_dialect(schema: JsonSchema, dialect: str) -> JsonSchema:
    if isinstance(schema, bool) or "$schema" in schema:
        return schema
    return {"$schema": dialect, **schema}


def _instances(tests: JsonValue) -> tuple[Instance, ...]:
    return tuple(
        Instance(test["data"], test["valid"], test.get("description", "")) for test in tests
    )


def sample(cases: list[Case], limit: int | None, seed: int) -> list[Case]:
    """Return at most `limit` cases, drawn without replacement; the same ones for the same seed."""
    if limit is None or limit >= len(cases):
        return cases
    return random.Random(seed).sample(cases, limit)  # noqa: S311 - a sample, no secret
