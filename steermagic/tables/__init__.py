"""The rows of `--over`: of a table of any library, of a list, or of an iterator.

Rows are read one at a time, when their turn comes. What an iterator has given is kept, so that the
answers can be joined to it.

Read in this order: `reading` -> `peeking` -> `rows` -> `frames` -> `objects`.
"""

from steermagic.tables.reading import read_table
from steermagic.tables.rows import TableRows

__all__ = ["TableRows", "read_table"]
