"""The run store: every finished row is committed to one SQLite file before it is shown.

An answer stands there once, under a key of everything that decides what it is; a run says which
answers are its rows. So the same question need not be asked twice, whoever asks it.

Read in this order: `keys` -> `layout` -> `database` -> `packing` -> `records` -> `reviews` ->
`library` -> `restoring`.
"""

from steermagic.paths import OFF
from steermagic.store.keys import Key, answer_key
from steermagic.store.library import Pruned, Store, open_store, place_of
from steermagic.store.records import UNFINISHED, CellText, Reuse, RunRecord, StoredRun
from steermagic.store.restoring import described, restored, with_steps

__all__ = [
    "OFF",
    "UNFINISHED",
    "CellText",
    "Key",
    "Pruned",
    "Reuse",
    "RunRecord",
    "Store",
    "StoredRun",
    "answer_key",
    "described",
    "open_store",
    "place_of",
    "restored",
    "with_steps",
]
