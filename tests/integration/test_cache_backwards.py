"""No read goes backwards: nobody is shown a highlight as it was before what they have seen."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis import page_cache
from functions.shared.settings.load import load
from tests.integration.backwards.checker import Checker
from tests.support.drivers.cached_match import settings_of
from tests.support.drivers.table import Table
from tests.support.length import IS_LONG
from tests.support.servers.redis_server import RedisServer, redis_server

OPERATIONS = 100_000 if IS_LONG else 5_000
TTL_S = 1


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """The server of one test."""
    with redis_server(tmp_path) as running:
        yield running


def checked(table: Table, server: RedisServer, seed: int, operations: int) -> Checker:
    """Return a checker after its run."""
    postgres = load(PostgresSettings, {"DATABASE_URL": table.url})
    checker = Checker(postgres, settings_of(server.url, CACHE_TTL_S=TTL_S), seed)
    t = time.monotonic()
    asyncio.run(checker.run(operations))
    print(time.monotonic() - t, checker.counts, len(checker.wrong))
    return checker


def test_no_read_goes_backwards(own_table: Table, server: RedisServer) -> None:
    """Neither in a list nor from one to the other, in whichever process."""
    checker = checked(own_table, server, 1, OPERATIONS)
    assert checker.wrong == []


# Each leaves out what one of the scripts does to fence outdated pages off.
MUTANTS = {
    "fill_without_a_lease": ("FILL", r"redis.call\('GET', KEYS\[2\]\) == ARGV\[1\] and "),
    "fill_during_a_change": ("FILL", r" and redis.call\('EXISTS', KEYS\[3\]\) == 0"),
    "announce_keeps_pages": ("ANNOUNCE", r".*UNLINK.*"),
    "settle_keeps_leases": ("SETTLE", r".*UNLINK.*"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_cache_without_its_fencing_is_detected(
    mutant: str, own_table: Table, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same readers find reads that go backwards."""
    script, left_out = MUTANTS[mutant]
    mutated, count = re.subn(left_out, "", getattr(page_cache, script))
    assert count == 1
    monkeypatch.setattr(page_cache, script, mutated)
    checker = checked(own_table, server, 1, OPERATIONS)
    assert checker.wrong
