"""Models of KafkaSource and KafkaSink as documented; every other field is refused.

https://knative.dev/docs/eventing/sources/kafka-source/
https://knative.dev/docs/eventing/sinks/kafka-sink/
https://knative.dev/docs/eventing/event-delivery/
"""

from typing import Annotated, Any, Literal

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

Text = Annotated[str, StringConstraints(min_length=1)]
Duration = Annotated[str, StringConstraints(pattern=r"^PT\d+(\.\d+)?S$")]
Server = Annotated[str, StringConstraints(pattern=r"^[\w.-]+:\d+$")]


class Strict(BaseModel):
    """A model with camelCase names that refuses unknown fields."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=AliasGenerator(alias=to_camel)
    )


class Metadata(Strict):
    """The name of an object."""

    name: Text
    namespace: Text
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Reference(Strict):
    """A reference to another object."""

    api_version: Text
    kind: Text
    name: Text
    namespace: Text | None = None


class Destination(Strict):
    """The sink of events."""

    ref: Reference | None = None
    uri: str | None = None


class Delivery(Strict):
    """The retries and the dead-letter sink of an event that is not accepted."""

    retry: Annotated[int, Field(ge=0)]
    backoff_policy: Literal["linear", "exponential"]
    backoff_delay: Duration
    timeout: Duration
    dead_letter_sink: Destination | None = None


class Key(Strict):
    """A part of a Secret."""

    name: Text
    key: Text


class FromSecret(Strict):
    """A value that a Secret holds."""

    secret_key_ref: Key


class Sasl(Strict):
    """The credentials of a client."""

    enable: bool
    type: FromSecret
    user: FromSecret
    password: FromSecret


class Tls(Strict):
    """The CA certificates that a client trusts."""

    enable: bool
    ca_cert: FromSecret | None = None


class Net(Strict):
    """The security of connections to Kafka."""

    sasl: Sasl
    tls: Tls


class SourceSpec(Strict):
    """The topics that are read, their ordering, and the sink."""

    bootstrap_servers: Annotated[list[Server], Field(min_length=1)]
    topics: Annotated[list[Text], Field(min_length=1)]
    consumer_group: Text
    consumers: Annotated[int, Field(ge=1)]
    ordering: Literal["ordered", "unordered"]
    initial_offset: Literal["earliest", "latest"]
    delivery: Delivery
    sink: Destination
    net: Net | None = None


class KafkaSource(Strict):
    """Reads topics, and posts each record as a CloudEvent."""

    api_version: Literal["sources.knative.dev/v1"]
    kind: Literal["KafkaSource"]
    metadata: Metadata
    spec: SourceSpec


class SinkSpec(Strict):
    """The topic to which CloudEvents are written."""

    topic: Text
    bootstrap_servers: Annotated[list[Server], Field(min_length=1)]
    content_mode: Literal["binary", "structured"]
    auth: dict[Literal["secret"], dict[Literal["ref"], dict[Literal["name"], Text]]] | None = None


class KafkaSink(Strict):
    """Writes each CloudEvent that it is sent to a topic."""

    api_version: Literal["eventing.knative.dev/v1alpha1"]
    kind: Literal["KafkaSink"]
    metadata: Metadata
    spec: SinkSpec


MODELS: dict[str, type[BaseModel]] = {"KafkaSource": KafkaSource, "KafkaSink": KafkaSink}


def check(document: dict[str, Any]) -> None:
    """Raise a ValidationError if an object of these kinds is not valid."""
    MODELS[document["kind"]].model_validate(document)
