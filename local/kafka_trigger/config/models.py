"""The tables of a triggers' file as models; each key's description is its meaning."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)
from pydantic_core.core_schema import ValidationInfo

from local.kafka_trigger.config.address import web_address
from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.envelopes.encoder import SINGLE_RECORD, Envelope
from local.kafka_trigger.filters.record_filter import Filter

Auth = Literal["google-identity-token"]


def _empty_as_none(value: object) -> object:
    return None if value == "" else value


Topic = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]


class Retry(BaseModel, extra="forbid", frozen=True):
    """How a failed delivery is retried."""

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


def _as_list(value: object) -> object:
    return [value] if isinstance(value, Mapping) else value


class Trigger(BaseModel, extra="forbid", frozen=True):
    """A topic whose records are delivered to a function."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        description="its name in the log and on dead letters: lower case, digits and -",
    )
    topic: Topic = Field(description="the topic to read")
    group: str = Field(min_length=1, description="the consumer group that keeps the offsets")
    function: Annotated[str, AfterValidator(web_address)] = Field(
        description="the address of the function that takes the records"
    )
    auth: Annotated[Auth | None, BeforeValidator(_empty_as_none)] = Field(
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
    filter: Annotated[list[Filter], BeforeValidator(_as_list)] = Field(
        [], description="which records are delivered, if not all: those that match any filter"
    )
    retry: Retry = Field(default_factory=Retry, description="how a failed delivery is retried")
    dead_letter_topic: Annotated[Topic | None, BeforeValidator(_empty_as_none)] = Field(
        None, description="where records go that cannot be taken; without it they are logged only"
    )
    auto_offset_reset: Literal["earliest", "latest"] = Field(
        description="where a group begins to read that has no offset yet"
    )

    @model_validator(mode="before")
    @classmethod
    def _default_batch_size(cls, table: object) -> object:
        if isinstance(table, Mapping) and table.get("envelope") in SINGLE_RECORD:
            return {"batch_size": 1, **table}
        return table

    @field_validator("batch_size")
    @classmethod
    def _batch_fits_envelope(cls, size: int, info: ValidationInfo) -> int:
        envelope = info.data.get("envelope")
        if size > 1 and envelope in SINGLE_RECORD:
            raise ValueError(f"must be 1: the envelope {envelope} holds one record, and is {size}")
        return size

    @model_validator(mode="after")
    def _sends_token_encrypted(self) -> "Trigger":
        if self.auth and not self.function.startswith("https://"):
            raise ValueError("auth: a token is sent over https:// only")
        return self

    @model_validator(mode="after")
    def _dead_letters_go_elsewhere(self) -> "Trigger":
        if self.dead_letter_topic == self.topic:
            raise ValueError("dead_letter_topic is the topic itself: its dead letters never end")
        return self


class Config(BaseModel, extra="forbid", frozen=True):
    """The contents of the file."""

    kafka: Kafka = Field(description="where the brokers are, and how to talk to them")
    triggers: list[Trigger] = Field(
        alias="trigger", min_length=1, description="the triggers, a [[trigger]] table each"
    )

    @model_validator(mode="after")
    def _triggers_are_distinct(self) -> "Config":
        _raise_for_duplicates("name", [trigger.name for trigger in self.triggers])
        _raise_for_duplicates(
            "topic and group", [(each.topic, each.group) for each in self.triggers]
        )
        return self

    @model_validator(mode="after")
    def _drain_ends_before_rebalance(self) -> "Config":
        for trigger in self.triggers:
            if trigger.drain_s * 1000 >= self.kafka.max_poll_interval_ms:
                raise ValueError(
                    f"trigger {trigger.name!r}: drain_s, {trigger.drain_s:g} s, is not less than "
                    f"max.poll.interval.ms, {self.kafka.max_poll_interval_ms:g}: a rebalance would "
                    "not wait for what is in flight"
                )
        return self


def _raise_for_duplicates(what: str, keys: list[Any]) -> None:
    if len(set(keys)) < len(keys):
        raise ValueError(f"two triggers have the same {what}")
