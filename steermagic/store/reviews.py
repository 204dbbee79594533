"""What somebody judged of the rows of stored runs."""

from __future__ import annotations

import json

from steermagic.judgements import Judgement, Key
from steermagic.store.database import Database


def stored_judgements(database: Database, run_id: str) -> dict[Key, Judgement]:
    """Return the judgements of a run."""
    found = database.read(_FIND, (run_id,))
    return {
        (number, item): Judgement(verdict, json.loads(value))
        for number, item, verdict, value in found
    }


def store_judgement(database: Database, run_id: str, key: Key, judgement: Judgement | None) -> None:
    """Commit a judgement, or that there is none any more."""
    with database.transaction() as connection:
        if judgement is None:
            connection.execute(_DROP, (run_id, *key))
        else:
            value = json.dumps(judgement.value)
            connection.execute(_PUT, (run_id, *key, judgement.verdict, value))


_FIND = "SELECT number, item, verdict, value FROM reviews WHERE run = ?"
_DROP = "DELETE FROM reviews WHERE run = ? AND number = ? AND item = ?"
_PUT = """
INSERT INTO reviews (run, number, item, verdict, value) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (run, number, item) DO UPDATE SET verdict = excluded.verdict, value = excluded.value
"""
