"""The addresses of a stack: its gateway, services and functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from infra.roles import READER, WRITER
from local.stack.connectivity import KAFKA_PORT
from local.stack.ports import HOST, claim, free_port, preferred_port, require_distinct
from local.stack.services import broker, functions, postgres, valkey
from local.stack.services.functions import Function


@dataclass(frozen=True)
class Ports:
    """The ports that a person may choose: 0 is any free one, `kafka` None is 9092 if free."""

    events: int = 0
    highlights: int = 0
    kafka: int | None = 0


FREE_PORTS: Final = Ports()


@dataclass(frozen=True)
class Service:
    """A service that functions use: its variable, its URL, and its port here if embedded."""

    variable: str
    url: str
    port: int | None


@dataclass(frozen=True)
class Addresses:
    """The ports of the gateway, the three services, the functions by name."""

    events_port: int
    highlights_port: int
    kafka: Service
    postgres: Service
    redis: Service
    functions: Mapping[str, Function]

    @property
    def events_url(self) -> str:
        """The base URL of `/events`, `/events/batch`, the page that posts goals, and `/swagger`."""
        return f"http://{HOST}:{self.events_port}"

    @property
    def highlights_url(self) -> str:
        """The base URL of `/highlights`, the ticker, and `/swagger`."""
        return f"http://{HOST}:{self.highlights_port}"

    @property
    def services(self) -> tuple[Service, ...]:
        """The three services."""
        return self.kafka, self.postgres, self.redis

    @property
    def settings(self) -> dict[str, str]:
        """The environment of functions and tools."""
        return {
            **{each.variable: each.url for each in self.services},
            "CONSUME_GOAL_URL": self.functions["consume_goal"].url,
            "ENRICH_BATCH_URL": self.functions["enrich_batch"].url,
        }

    @property
    def environment(self) -> dict[str, str]:
        """The environment of commands that work with a running stack."""
        return {
            **self.settings,
            "GOALSTREAM_EVENTS_PORT": str(self.events_port),
            "GOALSTREAM_HIGHLIGHTS_PORT": str(self.highlights_port),
        }

    def function_settings(self, function: str) -> dict[str, str]:
        """Return the environment of one function: the users by which it logs in to services."""
        role = READER if function in functions.READERS else WRITER
        return {
            **({"DATABASE_URL": postgres.url(port, role)} if (port := self.postgres.port) else {}),
            **({"REDIS_URL": valkey.url(port, valkey.USER)} if (port := self.redis.port) else {}),
        }

    @property
    def migration_settings(self) -> dict[str, str]:
        """The environment of the migrations: only an embedded Postgres gets our passwords."""
        return dict(postgres.ROLE_PASSWORDS) if self.postgres.port else {}


def choose(ports: Ports, environ: Mapping[str, str]) -> Addresses:
    """Choose the addresses of a stack; a service that `environ` names is used where it is.

    Raises:
        StackError: a port is taken, or chosen twice.
    """
    require_distinct(
        {
            "GOALSTREAM_EVENTS_PORT": ports.events,
            "GOALSTREAM_HIGHLIGHTS_PORT": ports.highlights,
            "GOALSTREAM_KAFKA_PORT": ports.kafka or 0,
        }
    )

    def claim_kafka_port() -> int:
        if ports.kafka is None:
            return preferred_port(KAFKA_PORT, but=(ports.events, ports.highlights))
        return claim(ports.kafka, "GOALSTREAM_KAFKA_PORT")

    return Addresses(
        events_port=claim(ports.events, "GOALSTREAM_EVENTS_PORT"),
        highlights_port=claim(ports.highlights, "GOALSTREAM_HIGHLIGHTS_PORT"),
        kafka=_service(
            environ, "KAFKA_BOOTSTRAP_SERVERS", broker.bootstrap_servers, claim_kafka_port
        ),
        postgres=_service(environ, "DATABASE_URL", postgres.url),
        redis=_service(environ, "REDIS_URL", valkey.url),
        functions={name: Function(name, free_port()) for name in functions.NAMES},
    )


def _service(
    environ: Mapping[str, str],
    variable: str,
    embedded_url: Callable[[int], str],
    choose_port: Callable[[], int] = free_port,
) -> Service:
    if given := environ.get(variable):
        return Service(variable, given, port=None)
    port = choose_port()
    return Service(variable, embedded_url(port), port)
