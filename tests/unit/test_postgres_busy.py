"""Statements that wait for a connection while the database does not respond."""

import asyncio
import socket
from contextlib import closing

import pytest

from functions.shared.errors import Unavailable
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import load


def test_a_statement_that_waited_too_long_fails_without_another_attempt() -> None:
    """Otherwise the time-outs of waiting statements would add up."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=50)) as mute:
        settings = {
            "DATABASE_URL": f"postgresql://u@127.0.0.1:{mute.getsockname()[1]}/d?sslmode=disable",
            "DATABASE_POOL_SIZE": "1",
            "DATABASE_TIMEOUT_S": "0.3",
            "DATABASE_QUEUE_TIMEOUT_S": "0.3",
        }
        postgres = Postgres(load(PostgresSettings, settings))

        async def query() -> None:
            with pytest.raises(Unavailable):
                await postgres.run("SELECT 1")

        async def run() -> None:
            await asyncio.gather(*(query() for _ in range(20)))

        asyncio.run(run())
        postgres.close()
        mute.setblocking(False)
        tries: list[socket.socket] = []
        while len(tries) < 20:
            try:
                tries.append(mute.accept()[0])
            except BlockingIOError:
                break
        for each in tries:
            each.close()
        assert 1 <= len(tries) <= 2
