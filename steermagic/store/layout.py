"""The tables of a store.

Times are seconds since 1970; `settings`, `options`, `form`, `details` and `failure` are JSON;
`steps` is compressed. A key is that of the question and some bytes of the answer's own, see `keys`.
A row has a key or a failure.
"""

from __future__ import annotations

TABLES = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started REAL NOT NULL,
    ended REAL,
    state TEXT NOT NULL,
    model TEXT NOT NULL,
    spec TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    line TEXT,
    body TEXT,
    settings TEXT NOT NULL,
    options TEXT NOT NULL,
    form TEXT NOT NULL,
    n_rows INTEGER
);
CREATE TABLE answers (
    key BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    thoughts TEXT NOT NULL,
    details TEXT NOT NULL,
    steps BLOB
);
CREATE TABLE run_rows (
    run INTEGER NOT NULL REFERENCES runs (number),
    number INTEGER NOT NULL,
    key BLOB,
    failure TEXT,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
CREATE INDEX run_rows_by_key ON run_rows (key) WHERE key IS NOT NULL;
"""
LATER = """
CREATE TABLE IF NOT EXISTS reviews (
    run TEXT NOT NULL,
    number INTEGER NOT NULL,
    item INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, number, item)
) WITHOUT ROWID
"""
"""What came later; an older steermagic takes no notice of it."""
