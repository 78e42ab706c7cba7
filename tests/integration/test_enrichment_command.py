"""The operator's command `python -m infra.enrichment`."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest

from functions.shared.postgres.connection import connect
from infra.enrichment import main
from local.stack import ROOT
from local.stack.stack import Stack
from tests.support.builders.events import MATCH, OTHER_MATCH
from tests.support.drivers.table import TIMEOUT_S, Table
from tests.support.waiting import eventually

MODULE = (sys.executable, "-m", "infra.enrichment")


@dataclass(frozen=True)
class Done:
    """The output of a command, and its exit status."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def command(
    own_table: Table,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """The command on a database of its own; variables may be given."""

    def run(*arguments: str, **variables: str) -> Done:
        environ = {"DATABASE_URL": own_table.url, "REDIS_URL": stack.redis_url, **variables}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        try:
            main(arguments)
        except SystemExit as end:
            printed = capsys.readouterr()
            if isinstance(end.code, str):
                return Done(1, printed.out, f"{printed.err}{end.code}\n")
            return Done(end.code or 0, printed.out, printed.err)
        return Done(0, *capsys.readouterr())

    return run


def put(table: Table, status: str, match_id: UUID = MATCH, event_id: str = "e", **row: int) -> str:
    """Put a highlight into the table; returns its id."""
    id_ = str(uuid4())
    table.run(
        "INSERT INTO highlights"
        " (id, match_id, event_id, revision, retracted, occurred_at, event_type, status, attempts)"
        " VALUES (:id, :match_id, :event_id, 0, false, now(), 'goal', :status, :attempts)",
        id=id_,
        match_id=match_id,
        event_id=event_id,
        status=status,
        attempts=row.get("attempts", 0),
    )
    return id_


def status_of(table: Table, id_: str) -> tuple[str, int]:
    """A highlight's status and attempts."""
    ((status, attempts),) = table.run(
        "SELECT status, attempts FROM highlights WHERE id = cast(:id AS uuid)", id=id_
    )
    return status, attempts


def test_status_prints_counts_and_the_age_of_the_oldest(command: Command, own_table: Table) -> None:
    """By status, the pending ones by their attempts, and the ready ones by who wrote."""
    for status, count in {"PENDING_AI": 2, "READY": 3, "FAILED_AI": 1}.items():
        for _ in range(count):
            put(own_table, status)
    put(own_table, "PENDING_AI", attempts=2)
    own_table.run("UPDATE highlights SET updated_at = now() - interval '1 hour' WHERE attempts = 2")
    done = command("status")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line for line in lines if line[0] not in " c"] == [  # or changes are held back
        "PENDING_AI  3", "READY       3", "FAILED_AI   1", "RETRACTED   0",
    ]  # fmt: skip
    assert lines[1].startswith("  after 0 attempts: 2, the oldest for ")
    assert lines[2].startswith("  after 2 attempts: 1, the oldest for 36")
    own_table.run("UPDATE highlights SET enriched_by = 'http' WHERE status = 'READY'")
    own_table.run(
        "UPDATE highlights SET enriched_by = 'template', provisional = true"
        " WHERE id = (SELECT id FROM highlights WHERE status = 'READY' LIMIT 1)"
    )
    lines = command("status").stdout.splitlines()
    assert lines[4:6] == ["  by http: 2", "  by template: 1, 1 until the endpoint is back"]


def test_status_tells_of_a_transaction_that_holds_changes_back(
    command: Command, own_table: Table
) -> None:
    """And for how long: as long ago as the oldest such change."""
    with closing(connect(own_table.url, TIMEOUT_S)) as slow:
        slow.run("BEGIN; SELECT pg_current_xact_id()")
        put(own_table, "READY")
        own_table.run("UPDATE highlights SET updated_at = now() - interval '70 s'")
        last = command("status").stdout.splitlines()[-1]
    assert last.startswith("changes are held back by an open transaction: 7")


def test_failed_lists_the_highlights_that_are_failed_ai(command: Command, own_table: Table) -> None:
    """With match, event, attempts and since when; control characters are escaped."""
    put(own_table, "READY")
    id_ = put(own_table, "FAILED_AI", event_id="goal\x1b[2J", attempts=5)
    other = put(own_table, "FAILED_AI", OTHER_MATCH)
    done = command("failed", "--match", str(MATCH))
    assert done.returncode == 0
    _, line = done.stdout.splitlines()
    assert line.startswith(f"{id_}  {MATCH}         5  20")
    assert line.endswith('+00:00  "goal\\u001b[2J"')
    assert other in command("failed").stdout
    assert command("failed", "--id", other).stdout.count("\n") == 2


def test_retry_by_id_names_the_ids_that_are_not_failed(command: Command, own_table: Table) -> None:
    """Exit status 1; the others are retried."""
    failed, ready = put(own_table, "FAILED_AI", attempts=5), put(own_table, "READY", attempts=1)
    done = command("retry", "--id", failed, "--id", ready)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"is tried again: {failed} {MATCH}", "1 are PENDING_AI again",
    ]  # fmt: skip
    assert done.stderr == f"{ready} is not FAILED_AI, or not there\n"
    assert status_of(own_table, failed) == ("PENDING_AI", 0)
    assert status_of(own_table, ready) == ("READY", 1)


def test_retry_by_match_or_all_and_a_dry_run_changes_nothing(
    command: Command, own_table: Table
) -> None:
    """Also more than one statement can change, each once."""
    own_table.run(
        "INSERT INTO highlights"
        " (id, match_id, event_id, revision, retracted, occurred_at, event_type, status)"
        " SELECT gen_random_uuid(), :match_id, n::text, 0, false, now(), 'goal', 'FAILED_AI'"
        " FROM generate_series(1, 1200) AS n",
        match_id=MATCH,
    )
    put(own_table, "FAILED_AI", OTHER_MATCH)
    dry = command("retry", "--all", "--dry-run")
    assert dry.returncode == 0
    assert dry.stdout.splitlines()[-1] == "1201 would be PENDING_AI again"
    assert own_table.statuses() == {"FAILED_AI": 1201}
    by_match = command("retry", "--match", str(MATCH))
    assert by_match.stdout.splitlines()[-1] == "1200 are PENDING_AI again"
    assert len(set(by_match.stdout.splitlines())) == 1201
    assert own_table.statuses() == {"PENDING_AI": 1200, "FAILED_AI": 1}
    assert command("retry", "--all").returncode == 0
    assert own_table.statuses() == {"PENDING_AI": 1201}
    assert command("retry", "--all").stdout == "0 are PENDING_AI again\n"


@pytest.mark.parametrize(
    "arguments",
    [(), ("retry",), ("retry", "--id", "x"), ("retry", "--all", "--match", str(MATCH)), ("purge",)],
)
def test_a_usage_error_prints_the_usage(command: Command, arguments: tuple[str, ...]) -> None:
    """Exit status 2, and nothing is changed: without a selection not all are."""
    done = command(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m infra.enrichment")


def test_a_failure_is_an_error_of_one_line(command: Command, own_table: Table) -> None:
    """Without the database, without its table, without a variable: exit status 1."""
    url = "postgresql://u:secret@127.0.0.1:1/d"
    away = command("status", DATABASE_URL=url)
    unset = command("status", DATABASE_URL="")
    own_table.run("DROP TABLE highlights")
    missing = command("retry", "--all")
    assert away.stderr == "The database does not answer.\n"
    assert unset.stderr == "cannot start: DATABASE_URL is missing\n"
    assert missing.stderr.endswith(' Missing: relation "highlights" does not exist.\n')
    assert {done.returncode for done in (away, unset, missing)} == {1}


def test_without_the_cache_it_works_and_warns_of_old_lists(
    command: Command, own_table: Table
) -> None:
    """The cache could not be invalidated."""
    put(own_table, "FAILED_AI")
    done = command("retry", "--all", REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 0
    assert re.fullmatch(
        r"Redis .*\. A cached list may show the old status for \d+ s\.\n", done.stderr
    )
    assert own_table.statuses() == {"PENDING_AI": 1}


def test_a_reader_may_close_the_pipe(own_table: Table) -> None:
    """As `head` does: no traceback, exit status 0."""
    put(own_table, "FAILED_AI")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        (*MODULE, "failed"), cwd=ROOT, env={"DATABASE_URL": own_table.url}, stdout=writer,
        stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_retried_highlight_becomes_ready_in_every_list(
    stack: Stack, table: Table, http: httpx.Client
) -> None:
    """Even if its list was cached; cron enriches it."""
    put(table, "FAILED_AI", attempts=5)
    url = f"{stack.highlights_url}/highlights?matchId={MATCH}"
    for _ in range(2):
        assert [each["status"] for each in http.get(url).json()] == ["FAILED_AI"]
    environ = {"DATABASE_URL": stack.database_url, "REDIS_URL": stack.redis_url}
    subprocess.run(
        (*MODULE, "retry", "--match", str(MATCH)),
        cwd=ROOT, env=environ, timeout=60, check=True,
    )  # fmt: skip
    assert [each["status"] for each in http.get(url).json()] != ["FAILED_AI"]
    eventually(lambda: [each["status"] for each in http.get(url).json()] == ["READY"])
