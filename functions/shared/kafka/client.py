"""What librdkafka is told of a broker: where it is, TLS, and how a client proves who it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, assert_never

from functions.shared.observability.logs import silence_aws_debug_logs

if TYPE_CHECKING:
    from pydantic import SecretStr

    from functions.shared.settings.load import KafkaSettings

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"]
Token = Callable[[str], tuple[str, float]]

# Shorter than load balancers and NAT gateways keep a connection that nobody uses: AWS' 350 s,
# Azure's 240. librdkafka asks before it sends, also after a freeze.
MAX_IDLE_MS = 60_000
# librdkafka's 10 s between two attempts are more than a record has: a broker that is back, or a
# password that has become right, would come too late for it.
RECONNECT_WITHIN_MS = 1_000
QUEUE_KIB = 64 * 1024
SIGNER = "aws_msk_iam_sasl_signer"


def client(settings: KafkaSettings) -> dict[str, Any]:
    """The settings that any client of confluent-kafka needs to reach the broker."""
    return {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "security.protocol": settings.kafka_security_protocol,
        "connections.max.idle.ms": MAX_IDLE_MS,
        "reconnect.backoff.max.ms": RECONNECT_WITHIN_MS,
        **_given({"ssl.ca.location": settings.kafka_ssl_ca_location}),
        **_sasl(settings),
    }


def producer(settings: KafkaSettings) -> dict[str, Any]:
    """The settings of an idempotent producer, whose records go out as soon as they come."""
    return {
        **client(settings),
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 0,
        "message.timeout.ms": int(settings.publish_deadline_s * 1000),
        # A missing topic is for `infra.topics` to make, with as many partitions as it needs.
        "allow.auto.create.topics": False,
        # Its records end before their deadline, so that the error says what is missing.
        "topic.metadata.propagation.max.ms": int(settings.publish_deadline_s * 500),
        # Connect before there is a record: an idempotent producer looks for a broker to number its
        # records every 500 ms only, and found none at its first look, nor at its second.
        "enable.sparse.connections": False,
        # What waits for a broker that is away; librdkafka's own limit is more than a function has.
        # In an outage there may be as much again, in the producer that this one replaced.
        "queue.buffering.max.kbytes": QUEUE_KIB,
        "partitioner": "murmur2_random",  # the partition that Java clients choose for a key
    }


def refusals(settings: KafkaSettings) -> Iterator[str]:
    """What is missing or wrong between the variables, each in a sentence that names one."""
    protocol, mechanism = settings.kafka_security_protocol, settings.kafka_sasl_mechanism
    because = f"KAFKA_SECURITY_PROTOCOL is {protocol}"
    if mechanism and not protocol.startswith("SASL_"):
        yield f"KAFKA_SASL_MECHANISM is wrong: {because}; SASL_SSL is meant?"
    if mechanism is None and protocol.startswith("SASL_"):
        yield f"KAFKA_SASL_MECHANISM is missing: {because}"
    if mechanism == "AWS_MSK_IAM" and protocol == "SASL_PLAINTEXT":
        yield f"KAFKA_SASL_MECHANISM is wrong: AWS_MSK_IAM needs SASL_SSL, and {because}"
    if mechanism == "AWS_MSK_IAM" and find_spec(SIGNER) is None:
        yield "KAFKA_SASL_MECHANISM is wrong: the package aws-msk-iam-sasl-signer-python is missing"
    for name in _needed(mechanism):
        if not getattr(settings, name):
            yield f"{name.upper()} is missing: KAFKA_SASL_MECHANISM is {mechanism}"
    if authority := settings.kafka_ssl_ca_location:
        if not protocol.endswith("SSL"):
            yield f"KAFKA_SSL_CA_LOCATION is wrong: {because}, without TLS"
        if not Path(authority).is_file():
            yield "KAFKA_SSL_CA_LOCATION is wrong: there is no such file"


def _needed(mechanism: Mechanism | None) -> tuple[str, ...]:
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


def _sasl(settings: KafkaSettings) -> dict[str, Any]:
    match settings.kafka_sasl_mechanism:
        case None:
            return {}
        case "OAUTHBEARER":
            return {"sasl.mechanism": "OAUTHBEARER", **_client_credentials(settings)}
        case "AWS_MSK_IAM":
            return {"sasl.mechanism": "OAUTHBEARER", "oauth_cb": msk_iam(settings.aws_region or "")}
        case mechanism:
            return {
                "sasl.mechanism": mechanism,
                "sasl.username": settings.kafka_sasl_username,
                "sasl.password": _revealed(settings.kafka_sasl_password),
            }


def _client_credentials(settings: KafkaSettings) -> dict[str, Any]:
    return _given(
        {
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.token.endpoint.url": settings.kafka_oauth_token_url,
            "sasl.oauthbearer.client.id": settings.kafka_oauth_client_id,
            "sasl.oauthbearer.client.secret": _revealed(settings.kafka_oauth_client_secret),
            "sasl.oauthbearer.scope": settings.kafka_oauth_scope,
        }
    )


def msk_iam(region: str) -> Token:
    """What signs tokens for Amazon MSK by the role or the keys that the process has."""
    # boto3 comes with it, which takes longer to import than a function.
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

    silence_aws_debug_logs()

    def token(_: str) -> tuple[str, float]:
        signed, expires_at_ms = MSKAuthTokenProvider.generate_auth_token(region)
        return signed, expires_at_ms / 1000

    return token


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value}
