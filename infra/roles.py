"""The roles in Postgres that the functions log in with, and what each may do.

They own nothing and make nothing: tables are the owner's, who migrates.
"""

from collections.abc import Mapping
from typing import Final

READER: Final = "goalstream_reader"  # list-highlights, get-highlight
WRITER: Final = "goalstream_writer"  # consume-goal, enrich-batch

# A table of a later migration is closed to a role until it is here.
TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    READER: {"highlights": "SELECT", "migrations": "SELECT"},
    WRITER: {"highlights": "SELECT, INSERT, UPDATE", "migrations": "SELECT"},
}
