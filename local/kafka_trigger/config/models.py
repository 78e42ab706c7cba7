"""What a triggers' file may say: its tables as models, each key with its meaning."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)
from pydantic_core.core_schema import ValidationInfo

from local.kafka_trigger.config.address import web_address
from local.kafka_trigger.config.table import Table
from local.kafka_trigger.delivering.google_identity import Auth
from local.kafka_trigger.envelopes.choice import OF_ONE_RECORD, Envelope
from local.kafka_trigger.filters.compile import Filter
from local.kafka_trigger.kafka import msk_iam

Setting = str | int | float | bool

SET_BY_A_TRIGGER = {
    "group.id",
    "auto.offset.reset",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "statistics.interval.ms",
}

MAX_POLL, MAX_POLL_DEFAULT_MS = "max.poll.interval.ms", 300_000  # the default is librdkafka's


def _blank_is_none(value: object) -> object:
    return None if value == "" else value


Topic = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]


class Retry(Table):
    """How a delivery that failed is tried again."""

    max_attempts: int = Field(
        5, ge=1, description="failed attempts before a batch is split or a lone record given up"
    )
    max_age_s: float = Field(
        0, ge=0, description="seconds after the first attempt when a batch is given up; 0: never"
    )
    initial_backoff_s: float = Field(
        0.2, gt=0, description="the longest first wait, in seconds; it doubles with each attempt"
    )
    max_backoff_s: float = Field(
        10, gt=0, description="the longest wait between two attempts, in seconds"
    )


def _one_or_many(written: object) -> object:
    return [written] if isinstance(written, Mapping) else written


class Trigger(Table):
    """One topic whose records are brought to one function."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        description="its name in the log and on dead letters: lower case, digits and -",
    )
    topic: Topic = Field(description="the topic to read")
    group: str = Field(min_length=1, description="the consumer group that keeps the offsets")
    function: Annotated[str, AfterValidator(web_address)] = Field(
        description="the address of the function that takes the records"
    )
    auth: Annotated[Auth | None, BeforeValidator(_blank_is_none)] = Field(
        None,
        description="how the function's platform is told who calls: `google-identity-token` for "
        "Cloud Run, by https:// alone",
    )
    envelope: Envelope = Field(
        "cloudevents-batch", description="the form in which the function is sent the records"
    )
    batch_size: int = Field(
        100,
        ge=1,
        le=10_000,
        description="the most records in one request, up to 10,000; 1 where the envelope holds one",
    )
    batch_window_ms: int = Field(
        0,
        ge=0,
        le=300_000,
        description="how long a batch may wait to fill up, in milliseconds, up to 300,000",
    )
    batch_bytes: int = Field(
        1024 * 1024, ge=1, description="the most bytes of values in one request of many records"
    )
    timeout_s: float = Field(30, gt=0, description="the seconds that the function has to answer")
    drain_s: float = Field(
        10,
        ge=0,
        le=240,
        description="the seconds to finish what is in flight before a partition goes, up to 240; "
        "less than max.poll.interval.ms",
    )
    filter: Annotated[list[Filter], BeforeValidator(_one_or_many)] = Field(
        [], description="which records are delivered, if not all: those that match any filter"
    )
    retry: Retry = Field(default_factory=Retry, description="how a failed delivery is retried")
    dead_letter_topic: Annotated[Topic | None, BeforeValidator(_blank_is_none)] = Field(
        None, description="where records go that cannot be taken; without it they are logged only"
    )
    auto_offset_reset: Literal["earliest", "latest"] = Field(
        description="where a group begins to read that has no offset yet"
    )

    @model_validator(mode="before")
    @classmethod
    def _takes_one_record(cls, table: object) -> object:
        if isinstance(table, Mapping) and table.get("envelope") in OF_ONE_RECORD:
            return {"batch_size": 1, **table}
        return table

    @field_validator("batch_size")
    @classmethod
    def _fits_the_envelope(cls, size: int, info: ValidationInfo) -> int:
        envelope = info.data.get("envelope")
        if size > 1 and envelope in OF_ONE_RECORD:
            raise ValueError(f"must be 1: the envelope {envelope} holds one record, and is {size}")
        return size

    @model_validator(mode="after")
    def _keeps_its_token(self) -> "Trigger":
        if self.auth and not self.function.startswith("https://"):
            raise ValueError("auth: a token is sent over https:// only")
        return self

    @model_validator(mode="after")
    def _buries_elsewhere(self) -> "Trigger":
        if self.dead_letter_topic == self.topic:
            raise ValueError("dead_letter_topic is the topic itself: its dead letters never end")
        return self


class Kafka(Table):
    """Settings that librdkafka gets as they are: in all clients, in consumers, in producers.

    One that is an empty text is left out, as if it were not there.
    """

    common: Mapping[str, Setting] = Field(repr=False, description="settings of all clients")
    consumer: Mapping[str, Setting] = Field(repr=False, description="settings of consumers alone")
    producer: Mapping[str, Setting] = Field(
        repr=False, description="settings of the producer of dead letters alone"
    )

    @property
    def bootstrap_servers(self) -> str:
        """Where the brokers are, for consumers."""
        return str({**self.common, **self.consumer}["bootstrap.servers"])

    @property
    def max_poll_interval_ms(self) -> float:
        """How long a group waits for one of its consumers in a rebalance."""
        return float({**self.common, **self.consumer}.get(MAX_POLL, MAX_POLL_DEFAULT_MS))

    @model_validator(mode="before")
    @classmethod
    def _from_table(cls, table: object) -> object:
        if not isinstance(table, Mapping):
            return table
        own = {role: table.get(role, {}) for role in ("consumer", "producer")}
        common = {key: value for key, value in table.items() if key not in own}
        return {role: _flat(settings) for role, settings in ({"common": common} | own).items()}

    @model_validator(mode="after")
    def _is_complete(self) -> "Kafka":
        if not self.common.get("bootstrap.servers"):
            raise ValueError("bootstrap.servers (where the brokers are) is missing")
        if taken := SET_BY_A_TRIGGER & (self.common.keys() | self.consumer.keys()):
            raise ValueError(f"{', '.join(sorted(taken))}: not here, a trigger sets it")
        for own in (self.consumer, self.producer):
            if missing := msk_iam.missing({**self.common, **own}):
                raise ValueError(missing)
        return self


class Config(Table):
    """The whole file."""

    kafka: Kafka = Field(description="where the brokers are, and how to talk to them")
    triggers: list[Trigger] = Field(
        alias="trigger", min_length=1, description="the triggers, a [[trigger]] table each"
    )

    @model_validator(mode="after")
    def _tells_triggers_apart(self) -> "Config":
        _refuse_twice("name", [trigger.name for trigger in self.triggers])
        _refuse_twice("topic and group", [(each.topic, each.group) for each in self.triggers])
        return self

    @model_validator(mode="after")
    def _drains_in_time(self) -> "Config":
        for trigger in self.triggers:
            if trigger.drain_s * 1000 >= self.kafka.max_poll_interval_ms:
                raise ValueError(
                    f"trigger {trigger.name!r}: drain_s, {trigger.drain_s:g} s, is not less than "
                    f"max.poll.interval.ms, {self.kafka.max_poll_interval_ms:g}: a rebalance would "
                    "not wait for what is in flight"
                )
        return self


def _refuse_twice(what: str, keys: list[Any]) -> None:
    if len(set(keys)) < len(keys):
        raise ValueError(f"two triggers have the same {what}")


def _flat(table: object) -> object:
    """Join what TOML takes apart: `bootstrap.servers = "…"` without quotes is a nested table."""
    if not isinstance(table, Mapping):
        return table
    return {name: value for name, value in _paths(table) if value != ""}


def _paths(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
