"""The rows of `--over`: of a table of any library, of a list, or of an iterator.

Rows are read one at a time, when their turn comes. What an iterator has given is kept, so that the
answers can be joined to it.

Read in this order: `reading` -> `peeking` -> `rows` -> `frames` -> `objects`.
"""

from steermagic.tables.frames import StoredRows
from steermagic.tables.reading import read_table
from steermagic.tables.rows import NUMBERS, TableRows, mark_of

__all__ = ["NUMBERS", "StoredRows", "TableRows", "mark_of", "read_table"]
