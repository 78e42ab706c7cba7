"""Where everything of a stack is reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.roles import READER, WRITER
from local.stack.ports import HOST, claim, free_port, preferred_port, require_distinct
from local.stack.services import broker, functions, postgres, valkey
from local.stack.services.functions import Function

KAFKA_PORT = 9092


@dataclass(frozen=True)
class Service:
    """A service that functions use: its variable and value, and its port here if embedded."""

    variable: str
    url: str
    port: int | None


@dataclass(frozen=True)
class Addresses:
    """The ports of the gateway, the three services, the functions."""

    events_port: int
    highlights_port: int
    kafka: Service
    postgres: Service
    redis: Service
    functions: Mapping[str, Function]

    @property
    def events_url(self) -> str:
        """Where events are posted: its `/events`, `/events/batch`, `/swagger`."""
        return f"http://{HOST}:{self.events_port}"

    @property
    def highlights_url(self) -> str:
        """Where highlights are read: its `/highlights`, `/swagger`."""
        return f"http://{HOST}:{self.highlights_port}"

    @property
    def settings(self) -> dict[str, str]:
        """The environment that tells all these to functions and tools."""
        return {
            **{each.variable: each.url for each in (self.kafka, self.postgres, self.redis)},
            "CONSUME_GOAL_URL": self.functions["consume_goal"].url,
            "ENRICH_BATCH_URL": self.functions["enrich_batch"].url,
        }

    @property
    def environment(self) -> dict[str, str]:
        """The environment that tells where all is to commands beside the stack."""
        return {
            **self.settings,
            "GOALSTREAM_EVENTS_PORT": str(self.events_port),
            "GOALSTREAM_HIGHLIGHTS_PORT": str(self.highlights_port),
        }

    def function_settings(self, function: str) -> dict[str, str]:
        """The environment of one function: the users by which it reaches embedded services."""
        role = READER if function in functions.READERS else WRITER
        return {
            **({"DATABASE_URL": postgres.url(port, role)} if (port := self.postgres.port) else {}),
            **({"REDIS_URL": valkey.url(port, valkey.USER)} if (port := self.redis.port) else {}),
        }

    @property
    def migration_settings(self) -> dict[str, str]:
        """The environment of the migrations: only an embedded Postgres gets our passwords."""
        return dict(postgres.ROLE_PASSWORDS) if self.postgres.port else {}


def choose(
    events_port: int,
    highlights_port: int,
    environ: Mapping[str, str],
    *,
    kafka_port: int | None = 0,
) -> Addresses:
    """Choose the addresses of a stack; a service that `environ` names is used where it is.

    A port of 0 is any free one; a `kafka_port` of None is 9092, or any if that is taken.

    Raises:
        StackError: a port that was asked for is taken, or asked for twice.
    """
    ports = {
        "GOALSTREAM_EVENTS_PORT": events_port,
        "GOALSTREAM_HIGHLIGHTS_PORT": highlights_port,
        "GOALSTREAM_KAFKA_PORT": kafka_port or 0,
    }
    require_distinct(ports)

    def claim_kafka_port() -> int:
        if kafka_port is None:
            return preferred_port(KAFKA_PORT, but=(events_port, highlights_port))
        return claim(kafka_port, "GOALSTREAM_KAFKA_PORT")

    return Addresses(
        events_port=claim(events_port, "GOALSTREAM_EVENTS_PORT"),
        highlights_port=claim(highlights_port, "GOALSTREAM_HIGHLIGHTS_PORT"),
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
    embedded: Callable[[int], str],
    choose_port: Callable[[], int] = free_port,
) -> Service:
    if given := environ.get(variable):
        return Service(variable, given, port=None)
    port = choose_port()
    return Service(variable, embedded(port), port)
