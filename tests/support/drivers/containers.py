"""The project in containers, with its own project name and ports."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from local.stack import ROOT
from local.stack.ports import HOST
from tests.support.drivers.compose_watch import watching
from tests.support.waiting import eventually

PUBLIC = ("ingest-event", "list-highlights", "get-highlight", "stream-highlights")
FUNCTIONS = (*PUBLIC, "consume-goal", "enrich-batch")
TOOLS = ("kafka-trigger", "cron", "gateway")
SERVICES = ("kafka", "postgres", "redis")
LASTING = (*FUNCTIONS, *TOOLS, *SERVICES)
ONCE = ("migrations", "topics")
LIMIT_S = 300
SOON = "tests/e2e/soon.yml"

# The containers that each can connect to: its dependencies, its callers, and network neighbours.
REACHABLE = {
    "ingest-event": {"kafka", "gateway", *PUBLIC} - {"ingest-event"},
    "list-highlights": {"postgres", "redis", "gateway", *PUBLIC} - {"list-highlights"},
    "get-highlight": {"postgres", "gateway", *PUBLIC} - {"get-highlight"},
    "stream-highlights": {"postgres", "redis", "gateway", *PUBLIC} - {"stream-highlights"},
    "consume-goal": {"kafka", "postgres", "redis", "kafka-trigger", "enrich-batch"},
    "enrich-batch": {"postgres", "redis", "kafka-trigger", "cron", "consume-goal"},
    "kafka-trigger": {"kafka", "consume-goal", "enrich-batch"},
    "cron": {"enrich-batch"},
    "gateway": {*PUBLIC},
}
TLS = ("--tls", "--cacert", "/tls/all.pem")
SECRETS = (
    "postgres_password",
    "postgres_reader_password",
    "postgres_writer_password",
    "redis_password",
)
CACHE_KEYS = """
SELECT 'goalstream:' || match_id || key FROM (SELECT DISTINCT match_id FROM highlights) AS matches,
    (VALUES (':pages'), (':lease'), (':changes')) AS keys (key)"""


def new_secrets(folder: Path, *names: str) -> dict[str, str]:
    """Write a new password to a file for each secret; return the variables that name the files."""
    for name in names:
        (folder / name).write_text(secrets.token_urlsafe(24), encoding="utf-8")
    return {f"{name.upper()}_FILE": str(folder / name) for name in names}


class Containers:
    """`docker compose` for the project of this name.

    `settings` are variables as in `.env`; `files` are merged over docker-compose.yml, and over a
    file with shorter health-check intervals.
    """

    def __init__(self, name: str, settings: Mapping[str, str], *files: str) -> None:
        self.name = name
        self.settings = settings
        self._files = ("docker-compose.yml", SOON, *files)

    @property
    def events_url(self) -> str:
        """The URL of the events."""
        return f"http://{HOST}:{self.settings['GOALSTREAM_EVENTS_PORT']}"

    @property
    def highlights_url(self) -> str:
        """The URL of the highlights."""
        return f"http://{HOST}:{self.settings['GOALSTREAM_HIGHLIGHTS_PORT']}"

    def compose(self, *arguments: str) -> str:
        """Run a command of `docker compose`; return its standard output.

        Raises:
            AssertionError: it failed; with its output.
        """
        return self._run(*self._compose(*arguments))

    def docker(self, *arguments: str) -> str:
        """Run a command of `docker`; return its standard output."""
        return self._run("docker", *arguments)

    def _compose(self, *arguments: str) -> tuple[str, ...]:
        files = [word for file in self._files for word in ("--file", file)]
        own = ("--project-name", self.name, "--env-file", os.devnull)
        return ("docker", "compose", *own, *files, *arguments)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.settings}

    def _run(self, *command: str) -> str:
        environment = self._environment()
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT_S
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr or done.stdout}"
        return done.stdout

    def up(self, *arguments: str) -> None:
        """Build, start, and wait until all are healthy."""
        self.compose("up", "--wait", "--wait-timeout", str(LIMIT_S), *arguments)

    def down(self) -> None:
        """Remove the containers, the networks and the volumes."""
        self.compose("down", "--volumes", "--remove-orphans")

    def are_healthy(self) -> bool:
        """Whether each service has exactly one container, which is healthy."""
        label = "com.docker.compose"
        lines = self.docker(
            "ps", "--filter", f"label={label}.project={self.name}",
            "--format", f'{{{{.Label "{label}.service"}}}} {{{{.Status}}}}',
        ).splitlines()  # fmt: skip
        healthy = sorted(line.split()[0] for line in lines if line.endswith("(healthy)"))
        return healthy == sorted(LASTING) and len(lines) == len(healthy)

    def ids(self, service: str) -> list[str]:
        """Return the ids of a service's containers, running or not."""
        # Not by `docker compose ps`, which fails if a container is replaced while it looks.
        labels = {"project": self.name, "service": service, "oneoff": "False"}
        filters = [
            f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()
        ]
        return self.docker("ps", "--all", "--quiet", "--no-trunc", *filters).split()

    def id(self, service: str) -> str:
        """The id of a service's one container."""
        (container,) = self.ids(service)
        return container

    def state(self, service: str) -> Mapping[str, Any]:
        """Return the state of a service's container, as `docker inspect` has it."""
        state: Mapping[str, Any] = self.inspect(service)["State"]
        return state

    def inspect(self, service: str) -> Mapping[str, Any]:
        """Return the output of `docker inspect` for a service's one container."""
        found: list[Mapping[str, Any]] = json.loads(self.docker("inspect", self.id(service)))
        return found[0]

    def kill(self, service: str) -> None:
        """Kill a container with SIGKILL, and start it again."""
        self.docker("kill", self.id(service))
        self.compose("start", service)

    def stop(self, service: str) -> None:
        """Stop a container as `docker compose stop` does, and start it again."""
        self.compose("stop", service)
        assert self.state(service)["ExitCode"] == 0
        self.compose("start", service)

    def watching(self) -> AbstractContextManager[None]:
        """Run `docker compose watch` on the files of this folder during the block."""
        return watching(self._compose("watch", "--no-up"), self._environment())

    def remaining(self) -> list[str]:
        """Return the project's existing containers, networks and volumes, running or not."""
        kinds = (("ps", "--all"), ("network", "ls"), ("volume", "ls"))
        mine = f"label=com.docker.compose.project={self.name}"
        return [
            each
            for kind in kinds
            for each in self.docker(*kind, "--quiet", "--filter", mine).split()
        ]

    def image(self, service: str) -> str:
        """The name of a service's image."""
        return f"{self.name}-{service}"

    def secret(self, name: str) -> str:
        """Return the content of a secret."""
        return Path(self.settings[f"{name.upper()}_FILE"]).read_text(encoding="utf-8")

    @contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """Pause a container during the block: it keeps its connections and does not answer."""
        eventually(lambda: self._pause(service))
        try:
            yield
        finally:
            self.compose("unpause", service)

    def _pause(self, service: str) -> bool:
        """Pause a container; return False if the kernel could not freeze it, as when it is busy."""
        try:
            self.compose("pause", service)
        except AssertionError as error:
            if "unable to freeze" not in str(error):
                raise
            return False
        return True

    def run_in(self, service: str, *command: str) -> str:
        """Run a command in a service's container; return its standard output."""
        return self.compose("exec", "--no-TTY", service, *command)

    def sql(self, statement: str) -> str:
        """Run a statement in Postgres; return its output, a line for each row."""
        return self.run_in(
            "postgres", "psql", "-U", "goalstream", "-At", "-F=", "-c", statement
        ).strip()

    def statuses(self) -> dict[str, int]:
        """Return the number of highlights in each status."""
        rows = self.sql("SELECT status, count(*) FROM highlights GROUP BY status")
        return {
            status: int(count) for status, _, count in (r.partition("=") for r in rows.splitlines())
        }

    def clear(self) -> None:
        """Truncate the table, and delete the cache keys of its matches."""
        lines = self.sql(f"{CACHE_KEYS}; TRUNCATE highlights").splitlines()
        if keys := [line for line in lines if line.startswith("goalstream:")]:
            self.redis("unlink", *keys)

    def redis(self, *command: str) -> str:
        """Return the reply of Redis to a command, as the functions' user."""
        login = 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) exec redis-cli -e "$@"'
        options = (
            "--user",
            "goalstream",
            *(TLS if "docker-compose.tls.yml" in self._files else ()),
        )
        return self.run_in("redis", "sh", "-c", login, "sh", *options, *command).strip()
