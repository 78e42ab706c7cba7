"""The benchmark of reads at scale, with a small table: every query of the contract."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from functions.shared.postgres.connection import connect
from local.stack.stack import Stack
from tests.benchmarks.scale.reads import DATABASE, at_scale
from tests.support.drivers.table import Table

HIGHLIGHTS = 100_000


@pytest.fixture(scope="module")
def scale(stack: Stack) -> Iterator[Table]:
    """The benchmark's table, which its first run makes."""
    yield Table(re.sub(r"/[^/]*$", f"/{DATABASE}", stack.database_url))
    with closing(connect(stack.database_url, 30)) as connection:
        connection.run(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def test_each_query_of_the_contract_is_answered_by_an_index(stack: Stack, scale: Table) -> None:
    """Without a scan of the table, or a sort of many rows: else it fails, as without an index."""
    results = list(at_scale(stack, rounds=1, highlights=HIGHLIGHTS))
    asked = [result for result in results if "rows read" in result.figure]
    assert len(asked) > 50
    assert scale.run("SELECT count(*) FROM highlights") == [[HIGHLIGHTS]]
    scale.run("DROP INDEX highlights_by_change")
    with pytest.raises(RuntimeError, match="changedSince=0 scans the table"):
        list(at_scale(stack, rounds=1, highlights=HIGHLIGHTS))
