"""Which lists are heavy: those that may read far more rows than they show."""

import re

import pytest

from functions.shared.postgres.highlight_sql import FILTERS, INDEXED_FILTERS, is_heavy
from local.stack import ROOT

MIGRATIONS = sorted((ROOT / "infra" / "migrations").glob("*.sql"))


@pytest.mark.parametrize(
    "names",
    [
        (), ("not_retracted",), ("status",), ("side", "not_retracted"), ("team_key",),
        ("event_type",),
        ("match_id",), ("match_id", "status", "updated_since"),
        ("not_retracted", "after", "after_id"), ("side", "after", "after_id"),
    ],
)  # fmt: skip
def test_a_list_in_the_order_of_an_index_is_light(names: tuple[str, ...]) -> None:
    """The first page, and each that a cursor leads to; a later one by its number is not."""
    assert not is_heavy(names, 0)
    assert is_heavy(names, 1)


@pytest.mark.parametrize(
    "names", [("updated_since",), ("side", "event_type"), ("status", "team_key"), ("newer",)]
)
def test_a_list_that_has_to_scan_rows_is_heavy(names: tuple[str, ...]) -> None:
    """As is a filter of which nothing is known."""
    assert is_heavy(names, 0)


def test_each_order_that_counts_on_an_index_has_one() -> None:
    """By the filter's column, then as lists are read."""
    text = "\n".join(path.read_text() for path in MIGRATIONS)
    for names in INDEXED_FILTERS:
        assert names <= FILTERS.keys()
        columns = "".join(f"{name}, " for name in names)
        assert re.search(rf"ON highlights \({columns}occurred_at DESC, id DESC\)", text), names
