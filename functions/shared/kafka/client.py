"""The configuration of librdkafka's clients, made of the settings."""

from typing import Any

from pydantic import SecretStr

from functions.shared.kafka.msk_iam import token_callback
from functions.shared.kafka.settings import KafkaSettings

# Shorter than load balancers and NAT gateways keep an idle connection: AWS' 350 s, Azure's 240.
# librdkafka checks the idle time before it sends, also after a freeze.
MAX_IDLE_MS = 60_000
# librdkafka's own 10 s between two attempts exceed a record's deadline: the record would not
# profit from a broker that is back, or from a password that has become right.
MAX_RECONNECT_BACKOFF_MS = 1_000
QUEUE_KIB = 64 * 1024


def client_configuration(settings: KafkaSettings) -> dict[str, Any]:
    """Return what any client of confluent-kafka needs to connect to the broker."""
    return {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "security.protocol": settings.kafka_security_protocol,
        "connections.max.idle.ms": MAX_IDLE_MS,
        "reconnect.backoff.max.ms": MAX_RECONNECT_BACKOFF_MS,
        **_without_empty({"ssl.ca.location": settings.kafka_ssl_ca_location}),
        **_sasl(settings),
    }


def producer_configuration(settings: KafkaSettings) -> dict[str, Any]:
    """Return what an idempotent producer needs that sends its records without delay."""
    return {
        **client_configuration(settings),
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 0,
        "message.timeout.ms": int(settings.publish_deadline_s * 1000),
        # `infra.topics` creates topics, with as many partitions as they need.
        "allow.auto.create.topics": False,
        # Records for a missing topic fail before their deadline, with an error that says so.
        "topic.metadata.propagation.max.ms": int(settings.publish_deadline_s * 500),
        # Connect before there is a record: an idempotent producer looks for a broker that gives it
        # an id every 500 ms only, and found none at its first and second look.
        "enable.sparse.connections": False,
        # Records that wait for an unreachable broker; librdkafka's own limit exceeds a function's
        # memory. In an outage there may be twice as much, with those of the replaced producer.
        "queue.buffering.max.kbytes": QUEUE_KIB,
        "partitioner": "murmur2_random",  # as Java clients: the same partition for the same key
    }


def _sasl(settings: KafkaSettings) -> dict[str, Any]:
    match settings.kafka_sasl_mechanism:
        case None:
            return {}
        case "OAUTHBEARER":
            return {"sasl.mechanism": "OAUTHBEARER", **_client_credentials(settings)}
        case "AWS_MSK_IAM":
            callback = token_callback(settings.aws_region or "")
            return {"sasl.mechanism": "OAUTHBEARER", "oauth_cb": callback}
        case mechanism:
            return {
                "sasl.mechanism": mechanism,
                "sasl.username": settings.kafka_sasl_username,
                "sasl.password": _secret_value(settings.kafka_sasl_password),
            }


def _client_credentials(settings: KafkaSettings) -> dict[str, Any]:
    return _without_empty(
        {
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.token.endpoint.url": settings.kafka_oauth_token_url,
            "sasl.oauthbearer.client.id": settings.kafka_oauth_client_id,
            "sasl.oauthbearer.client.secret": _secret_value(settings.kafka_oauth_client_secret),
            "sasl.oauthbearer.scope": settings.kafka_oauth_scope,
        }
    )


def _secret_value(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _without_empty(configuration: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in configuration.items() if value}
