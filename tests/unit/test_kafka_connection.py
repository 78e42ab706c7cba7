"""How a Kafka client authenticates, as its environment variables say."""

import base64
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from confluent_kafka import Producer

from functions.shared.kafka.client import client_configuration
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.settings.errors import SettingsError
from functions.shared.settings.load import load
from local.kafka_trigger.config.load import ConfigError
from local.kafka_trigger.config.load import load as load_triggers
from local.kafka_trigger.kafka.settings import consumer_settings, producer_settings

TRIGGERS = Path(__file__).parents[2] / "local" / "triggers.toml"
BROKER = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
URLS = {"CONSUME_GOAL_URL": "http://127.0.0.1:1", "ENRICH_BATCH_URL": "http://127.0.0.1:1"}
SASL = BROKER | {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}
USER = {"KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_PASSWORD": "hush hush"}
OAUTH = {
    "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
    "KAFKA_OAUTH_TOKEN_URL": "http://127.0.0.1:1/token",
    "KAFKA_OAUTH_CLIENT_ID": "me",
    "KAFKA_OAUTH_CLIENT_SECRET": "hush hush",
    "KAFKA_OAUTH_SCOPE": "kafka",
}
MSK = {"KAFKA_SASL_MECHANISM": "AWS_MSK_IAM", "AWS_REGION": "eu-west-1"}


def of_function(environ: dict[str, str]) -> dict[str, Any]:
    """The client settings of a function's producer."""
    return client_configuration(load(KafkaSettings, environ))


def of_trigger(environ: dict[str, str]) -> dict[str, Any]:
    """The client settings of the trigger's producer, which its consumer shares."""
    config = load_triggers(TRIGGERS, environ | URLS)
    producer = producer_settings(config.kafka)
    consumer = consumer_settings(config.kafka, config.triggers[0], 1)
    mine = {name for name in producer if name.startswith(("sasl.", "ssl.", "security."))}
    assert {name: consumer[name] for name in mine} == {name: producer[name] for name in mine}
    return producer


@pytest.fixture(name="authority")
def _authority(tmp_path: Path) -> str:
    """A CA file."""
    path = tmp_path / "ca.pem"
    path.write_text("whom to trust")
    return str(path)


@pytest.mark.parametrize("settings_of", [of_function, of_trigger])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_password_over_tls(settings_of: Any, mechanism: str, authority: str) -> None:
    """User name, password and authority reach librdkafka, which takes them."""
    environ = SASL | USER | {"KAFKA_SASL_MECHANISM": mechanism, "KAFKA_SSL_CA_LOCATION": authority}
    client_settings = settings_of(environ)
    assert client_settings.items() >= {
        "bootstrap.servers": "127.0.0.1:1", "security.protocol": "SASL_SSL",
        "sasl.mechanism": mechanism, "sasl.username": "me", "sasl.password": "hush hush",
        "ssl.ca.location": authority,
    }.items()  # fmt: skip


@pytest.mark.parametrize("settings_of", [of_function, of_trigger])
def test_without_variables_there_is_neither_tls_nor_a_user(settings_of: Any) -> None:
    """A variable that is unset or empty adds no client setting."""
    empty = dict.fromkeys([*USER, *OAUTH, *MSK, "KAFKA_SSL_CA_LOCATION"], "")
    client_settings = settings_of(BROKER | empty)
    assert client_settings["security.protocol"] == "PLAINTEXT"
    assert not {name for name in client_settings if name.startswith(("sasl.", "ssl.", "aws."))} - {
        "sasl.oauthbearer.method"
    }
    Producer(client_settings)


@pytest.mark.parametrize("settings_of", [of_function, of_trigger])
def test_amazon_msk_gets_a_signed_token(settings_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the keys of the environment, for the region, and good for some minutes."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMADEUP")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush hush")
    client_settings = settings_of(SASL | MSK)
    token, expires_at = client_settings.pop("oauth_cb")("")
    assert client_settings["sasl.mechanism"] == "OAUTHBEARER"
    assert not {name for name in client_settings if name.startswith(("sasl.oauthbearer.", "aws."))}
    url = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    query = parse_qs(url.query)
    assert url.hostname == "kafka.eu-west-1.amazonaws.com"
    assert query["Action"] == ["kafka-cluster:Connect"]
    assert query["X-Amz-Credential"][0].startswith("AKIAMADEUP/")
    assert query["X-Amz-Credential"][0].endswith("/eu-west-1/kafka-cluster/aws4_request")
    assert 60 < expires_at - time.time() < 3600


class TokenServer(HTTPServer):
    """A token server that records requests, and returns no token."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.timeout = 10
        self.requests: list[tuple[str | None, bytes]] = []


class _Asked(BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.headers["Authorization"], body))
        self.send_error(401)  # which librdkafka does not retry after five seconds

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.mark.parametrize("settings_of", [of_function, of_trigger])
def test_a_token_is_requested_with_client_credentials(settings_of: Any) -> None:
    """Librdkafka sends the client's id, secret and scope to the token URL."""
    server = TokenServer()
    asking = Thread(target=server.handle_request)
    asking.start()
    url = f"http://127.0.0.1:{server.server_port}/token"
    producer = Producer(
        {**settings_of(SASL | OAUTH | {"KAFKA_OAUTH_TOKEN_URL": url}), "log_level": 0}
    )
    asking.join()
    server.server_close()
    del producer  # which has requested a token since it was made
    [(authorization, body)] = server.requests
    assert authorization == "Basic " + base64.b64encode(b"me:hush hush").decode()
    assert parse_qs(body.decode()) == {"grant_type": ["client_credentials"], "scope": ["kafka"]}


def refusal(environ: dict[str, str]) -> str:
    """The error that stops a function's start."""
    with pytest.raises(SettingsError) as error:
        load(KafkaSettings, environ)
    return str(error.value).removeprefix("cannot start: ")


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        (SASL, "KAFKA_SASL_MECHANISM is missing: KAFKA_SECURITY_PROTOCOL is SASL_SSL"),
        (SASL | {"KAFKA_SASL_MECHANISM": "PLAIN"}, "KAFKA_SASL_USERNAME is missing"),
        (SASL | {"KAFKA_SASL_MECHANISM": "PLAIN"}, "KAFKA_SASL_PASSWORD is missing"),
        (SASL | {"KAFKA_SASL_MECHANISM": "OAUTHBEARER"}, "KAFKA_OAUTH_TOKEN_URL is missing"),
        (SASL | {"KAFKA_SASL_MECHANISM": "AWS_MSK_IAM"}, "AWS_REGION is missing"),
        (SASL | {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-1"}, "KAFKA_SASL_MECHANISM is wrong"),
        (SASL | OAUTH | {"KAFKA_OAUTH_TOKEN_URL": "token"}, "KAFKA_OAUTH_TOKEN_URL is wrong"),
        (BROKER | USER | {"KAFKA_SASL_MECHANISM": "PLAIN"}, "KAFKA_SASL_MECHANISM is wrong"),
        (BROKER | {"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL is wrong"),
        (
            SASL | MSK | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
            "KAFKA_SASL_MECHANISM is wrong: AWS_MSK_IAM needs SASL_SSL",
        ),
        (
            BROKER | {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA_LOCATION": "/nowhere"},
            "KAFKA_SSL_CA_LOCATION is wrong: there is no such file",
        ),
        (BROKER | {"KAFKA_SSL_CA_LOCATION": __file__}, "KAFKA_SSL_CA_LOCATION is wrong"),
    ],
)
def test_contradicting_settings_stop_the_start(environ: dict[str, str], reason: str) -> None:
    """In a sentence that names the variable."""
    assert reason in refusal(environ)


def test_a_password_is_never_shown() -> None:
    """Neither by the settings of functions nor by those of the trigger, nor in a refusal."""
    for environ in (SASL | OAUTH, SASL | USER | {"KAFKA_SASL_MECHANISM": "PLAIN"}):
        settings = load(KafkaSettings, environ)
        config = load_triggers(TRIGGERS, environ | URLS)
        assert "hush" not in f"{settings!r} {settings} {config!r} {config}"
    assert "hush" not in refusal(BROKER | USER | {"KAFKA_SASL_MECHANISM": "PLAIN"})


def test_the_trigger_requires_the_region_of_amazon_msk() -> None:
    """Before it starts."""
    with pytest.raises(ConfigError, match=r"aws\.region is missing"):
        of_trigger(SASL | {"KAFKA_SASL_MECHANISM": "AWS_MSK_IAM"})


def test_the_trigger_s_password_may_be_in_a_file(tmp_path: Path) -> None:
    """As a function's; a file that is not there is named by its variable."""
    path = tmp_path / "password"
    path.write_text("hush hush\n")
    environ = SASL | {"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "me"}
    assert of_trigger(environ | {"KAFKA_SASL_PASSWORD_FILE": str(path)})["sasl.password"] == (
        "hush hush"
    )
    with pytest.raises(ConfigError, match="the file that KAFKA_SASL_PASSWORD_FILE names"):
        of_trigger(environ | {"KAFKA_SASL_PASSWORD_FILE": "/nowhere"})
