"""The Postgres roles that the functions log in with, and their privileges.

Neither role owns a table or may create one: the tables belong to the user that migrates.
"""

from collections.abc import Mapping
from typing import Final

READER: Final = "goalstream_reader"  # list-highlights, get-highlight, stream-highlights
WRITER: Final = "goalstream_writer"  # consume-goal, enrich-batch

Privileges = Mapping[str, Mapping[str, str]]

# By role and table. A role has no access to a table that a later migration creates until the
# table is listed here.
PRIVILEGES: Final[Privileges] = {
    READER: {"highlights": "SELECT", "migrations": "SELECT"},
    WRITER: {"highlights": "SELECT, INSERT, UPDATE", "migrations": "SELECT"},
}
