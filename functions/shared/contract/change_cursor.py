"""A place in the change feed."""

import re
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

CURSOR = re.compile(r"([0-9a-f]{8})-([0-9]{1,20})(?:-([0-9a-f]{32}))?", re.ASCII)
MAX_XID = 2**64 - 1
FIRST_ID: Final = UUID(int=0)  # before every highlight's
BEGINNING_TEXT: Final = "0"


@dataclass(frozen=True, order=True, slots=True)
class ChangeCursor:
    """The place after one change, or before all that a transaction changed; ordered by place.

    `xid` is the number of the transaction, and `id` that of the highlight. Numbers of different
    epochs cannot be compared: a database that was restored, or moved, has a new one.
    """

    xid: int
    id: UUID = FIRST_ID
    epoch: str | None = field(default=None, compare=False)  # None: the beginning, in every epoch

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cursor that `str` turned into this text; "0" is the beginning.

        Raises:
            ValueError: it is none.
        """
        if text == BEGINNING_TEXT:
            return cls(0)
        match = CURSOR.fullmatch(text)
        if match is None or int(match[2]) > MAX_XID:
            raise ValueError("must come from the Link header of an earlier answer, or be 0")
        return cls(int(match[2]), UUID(match[3]) if match[3] else FIRST_ID, match[1])

    def __str__(self) -> str:
        """Return the cursor as clients are given it, which is opaque to them."""
        if self.epoch is None:
            return BEGINNING_TEXT
        place = f"{self.epoch}-{self.xid}"
        return place if self.id == FIRST_ID else f"{place}-{self.id.hex}"


BEGINNING: Final = ChangeCursor(0)
