"""No read goes backwards: a reader is never shown a highlight as it was before what they saw."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis import page_cache
from functions.shared.settings.load import load
from tests.integration.backwards.checker import Checker
from tests.integration.backwards.faults import Faults
from tests.support.drivers.cached_match import settings_of
from tests.support.drivers.table import Table
from tests.support.length import IS_LONG
from tests.support.servers.redis_server import RedisServer, redis_server

OPERATIONS = 100_000 if IS_LONG else 5_000
CHANCES = 50_000  # operations within which a mutant is to be found
FAULT_EVERY = 700  # operations
TTL_S = 1
SETTLING_S = 0.3  # longer than a change takes here
# Each leaves out what one of the scripts does to fence outdated pages off.
MUTANTS = {
    "fill_without_a_lease": ("FILL", r"(?s)if .*", "redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])"),
    "lease_during_a_change": ("LEASE", r"KEYS\[3\], ", ""),
    "announce_keeps_pages": ("ANNOUNCE", r"KEYS\[at\], KEYS\[at \+ 1\]", "KEYS[at + 1]"),
    "announce_keeps_leases": ("ANNOUNCE", r"KEYS\[at\], KEYS\[at \+ 1\]", "KEYS[at]"),
    "announce_keeps_a_language": (
        "ANNOUNCE",
        r"'UNLINK', KEYS\[at\], KEYS\[at \+ 1\]",
        "'HDEL', KEYS[at], ':50:en') redis.call('UNLINK', KEYS[at + 1]",
    ),
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """The server of one test."""
    with redis_server(tmp_path) as running:
        yield running


def checked(
    table: Table,
    server: RedisServer,
    disturb: Callable[[int], None] = lambda _: None,
    operations: int = OPERATIONS,
) -> Checker:
    """Return a checker after its run."""
    postgres = load(PostgresSettings, {"DATABASE_URL": table.url})
    redis = settings_of(server.url, CACHE_TTL_S=TTL_S)
    checker = Checker(postgres, redis, seed=1, disturb=disturb)
    asyncio.run(checker.run(operations))
    return checker


def test_no_read_goes_backwards(own_table: Table, server: RedisServer) -> None:
    """Neither in a list nor from one highlight to a list, in whichever process and language."""
    checker = checked(own_table, server)
    assert checker.wrong == []
    assert checker.counts["hit"] > checker.counts["list"] / 10
    assert checker.counts["miss"] > checker.counts["list"] / 10


def test_no_read_goes_backwards_whatever_redis_does(
    own_table: Table, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It crashes, hangs, refuses writes and comes back empty, in between and at once."""
    monkeypatch.setattr(page_cache, "SETTLING_S", SETTLING_S)
    faults = Faults(server, seed=1, every=FAULT_EVERY)
    checker = checked(own_table, server, faults)
    assert checker.wrong == []
    assert checker.counts["hit"]
    assert set(faults.counts) == {kind.__name__ for kind in faults.kinds}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_cache_without_its_fencing_is_detected(
    mutant: str, own_table: Table, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same readers find reads that go backwards."""
    script, left_out, instead = MUTANTS[mutant]
    mutated, count = re.subn(left_out, instead, getattr(page_cache, script))
    assert count == 1
    monkeypatch.setattr(page_cache, script, mutated)
    assert checked(own_table, server, operations=CHANCES).wrong
