"""The [kafka] table of a triggers' file."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, Field, model_validator

from local.kafka_trigger.config import msk_iam

Setting = str | int | float | bool

SET_PER_TRIGGER = {
    "group.id",
    "auto.offset.reset",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "statistics.interval.ms",
}

MAX_POLL, MAX_POLL_DEFAULT_MS = "max.poll.interval.ms", 300_000  # the default is librdkafka's


class Kafka(BaseModel, extra="forbid", frozen=True):
    """Settings that librdkafka gets as they are: of all clients, of consumers, of producers.

    A setting that is an empty text is left out.
    """

    common: Mapping[str, Setting] = Field(repr=False, description="settings of all clients")
    consumer: Mapping[str, Setting] = Field(repr=False, description="settings of consumers alone")
    producer: Mapping[str, Setting] = Field(
        repr=False, description="settings of the producer of dead letters alone"
    )

    @property
    def bootstrap_servers(self) -> str:
        """The addresses of the brokers, for consumers."""
        return str({**self.common, **self.consumer}["bootstrap.servers"])

    @property
    def max_poll_interval_ms(self) -> float:
        """The milliseconds that a group waits for one of its consumers in a rebalance."""
        return float({**self.common, **self.consumer}.get(MAX_POLL, MAX_POLL_DEFAULT_MS))

    @model_validator(mode="before")
    @classmethod
    def _split_by_client(cls, table: object) -> object:
        if not isinstance(table, Mapping):
            return table
        clients = {client: table.get(client, {}) for client in ("consumer", "producer")}
        common = {key: value for key, value in table.items() if key not in clients}
        tables = {"common": common} | clients
        return {client: _flatten(settings) for client, settings in tables.items()}

    @model_validator(mode="after")
    def _is_complete(self) -> "Kafka":
        if not self.common.get("bootstrap.servers"):
            raise ValueError("bootstrap.servers (where the brokers are) is missing")
        if reserved := SET_PER_TRIGGER & (self.common.keys() | self.consumer.keys()):
            raise ValueError(f"{', '.join(sorted(reserved))}: not here, a trigger sets it")
        for client in (self.consumer, self.producer):
            if missing := msk_iam.missing({**self.common, **client}):
                raise ValueError(missing)
        return self


def _flatten(table: object) -> object:
    """Join nested keys: TOML reads `bootstrap.servers = "…"` without quotes as a nested table."""
    if not isinstance(table, Mapping):
        return table
    return {name: value for name, value in _dotted(table) if value != ""}


def _dotted(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
