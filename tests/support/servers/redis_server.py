"""A Valkey server for one test, on a free port."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from functions.shared.redis.page_cache import KNOWN
from local.stack.ports import HOST, free_port
from local.stack.services import valkey
from local.supervisor import Process
from tests.support.waiting import eventually


def empty(redis: Any) -> None:
    """Delete all keys, where no change is in progress: so pages may be cached at once."""
    redis.flushall()
    redis.set(KNOWN, "")


class RedisServer:
    """A running server, the folder of its snapshots, and `admin`, a client for the test."""

    def __init__(self, port: int, folder: Path, process: Process) -> None:
        self.port = port
        self.folder = folder
        self.process = process
        self.url = valkey.url(port)
        self.admin: Any = Redis(port=port, socket_timeout=10)

    def follow(self, primary: "RedisServer | None") -> None:
        """Make it a replica of another, or with None a primary."""
        if primary:
            primary.admin.config_set("repl-diskless-sync-delay", 0)
        where = (HOST, str(primary.port)) if primary else ("NO", "ONE")
        self.admin.execute_command("REPLICAOF", *where)

    def until_replicated(self) -> None:
        """Wait until a replica is in step with its primary."""
        eventually(lambda: self.admin.info("replication")["master_link_status"] == "up")

    def clients(self) -> set[int]:
        """Return the ids of all connections except the test's own."""
        own = self.admin.client_id()
        return {int(each["id"]) for each in self.admin.client_list() if int(each["id"]) != own}

    def errors(self) -> int:
        """Return the number of commands that it has refused."""
        return int(self.admin.info("stats")["total_error_replies"])


@contextmanager
def redis_server(root: Path) -> Iterator[RedisServer]:
    """A server like the embedded stack's, whose log and snapshots are in `root`."""
    folder, log = root / "snapshots", root / "log"
    folder.mkdir(parents=True)
    log.touch()
    port = free_port()
    process = Process(valkey.server(port, folder), log, print_line=print)
    process.start()
    process.wait_ready()
    server = RedisServer(port, folder, process)
    empty(server.admin)
    try:
        yield server
    finally:
        server.admin.close()
        process.stop()
