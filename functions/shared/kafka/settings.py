"""The settings of Kafka."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self, assert_never

from pydantic import Field, SecretStr, StringConstraints, model_validator

from functions.shared.kafka import msk_iam
from functions.shared.settings.base import Seconds, Settings

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"]


class KafkaSettings(Settings):
    """Where the broker is, how a client authenticates, and how long it waits for the broker."""

    kafka_bootstrap_servers: Annotated[
        str, StringConstraints(pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$")
    ]
    kafka_security_protocol: SecurityProtocol = "PLAINTEXT"
    kafka_ssl_ca_location: str | None = None
    kafka_sasl_mechanism: SaslMechanism | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_oauth_token_url: Annotated[str, StringConstraints(pattern="^https?://")] | None = None
    kafka_oauth_client_id: str | None = None
    kafka_oauth_client_secret: SecretStr | None = Field(None, repr=False)
    kafka_oauth_scope: str | None = None
    aws_region: str | None = None
    publish_deadline_s: Seconds = 5.0

    @model_validator(mode="after")
    def _variables_fit_together(self) -> Self:
        if errors := "; ".join(_contradictions(self)):
            raise ValueError(errors)
        return self


def _contradictions(settings: KafkaSettings) -> Iterator[str]:
    """Yield what is missing or wrong between several variables, each in a sentence."""
    protocol, mechanism = settings.kafka_security_protocol, settings.kafka_sasl_mechanism
    because = f"KAFKA_SECURITY_PROTOCOL is {protocol}"
    if mechanism and not protocol.startswith("SASL_"):
        yield f"KAFKA_SASL_MECHANISM is wrong: {because}; SASL_SSL is meant?"
    if mechanism is None and protocol.startswith("SASL_"):
        yield f"KAFKA_SASL_MECHANISM is missing: {because}"
    if mechanism == msk_iam.MECHANISM and protocol == "SASL_PLAINTEXT":
        yield f"KAFKA_SASL_MECHANISM is wrong: {mechanism} needs SASL_SSL, and {because}"
    if mechanism == msk_iam.MECHANISM and not msk_iam.is_installed():
        yield f"KAFKA_SASL_MECHANISM is wrong: the package {msk_iam.PACKAGE} is missing"
    for name in _required_fields(mechanism):
        if not getattr(settings, name):
            yield f"{name.upper()} is missing: KAFKA_SASL_MECHANISM is {mechanism}"
    if ca_file := settings.kafka_ssl_ca_location:
        if not protocol.endswith("SSL"):
            yield f"KAFKA_SSL_CA_LOCATION is wrong: {because}, without TLS"
        if not Path(ca_file).is_file():
            yield "KAFKA_SSL_CA_LOCATION is wrong: there is no such file"


def _required_fields(mechanism: SaslMechanism | None) -> tuple[str, ...]:
    match mechanism:
        case "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512":
            return "kafka_sasl_username", "kafka_sasl_password"
        case "OAUTHBEARER":
            return "kafka_oauth_token_url", "kafka_oauth_client_id", "kafka_oauth_client_secret"
        case "AWS_MSK_IAM":
            return ("aws_region",)
        case None:
            return ()
    assert_never(mechanism)
