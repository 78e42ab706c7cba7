"""The environment, read once: what is missing or wrong stops the start by its name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pydantic import SecretStr

from functions.consume_goal.settings import ConsumeGoalSettings
from functions.enrich_batch.remote.settings import EnricherSettings
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.get_highlight.settings import GetHighlightSettings
from functions.ingest_event.settings import IngestEventSettings
from functions.list_highlights.settings import ListHighlightsSettings
from functions.shared.http.settings import AccessSettings
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.base import Settings
from functions.shared.settings.errors import SettingsError
from functions.shared.settings.load import load

KAFKA = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092"}
POSTGRES = {"DATABASE_URL": "postgresql://user:secret@127.0.0.1:5432/goalstream"}
REDIS = {"REDIS_URL": "redis://:secret@127.0.0.1:6379/0"}
KEYS = {"API_KEYS": "a-secret-of-the-feed,a-secret-of-the-app"}
ENRICHER = {
    "ENRICHER_URL": "https://example.org/enrich?code=secret",
    "ENRICHER_API_KEY": "secret",
    "OPENAI_API_KEY": "secret",
}
ALL = {**KAFKA, **POSTGRES, **REDIS, **KEYS, **ENRICHER, "DATABASE_PASSWORD": "secret"}
MODELS: list[type[Settings]] = [
    KafkaSettings,
    PostgresSettings,
    RedisSettings,
    AccessSettings,
    IngestEventSettings,
    ConsumeGoalSettings,
    EnricherSettings,
    EnrichBatchSettings,
    ListHighlightsSettings,
    GetHighlightSettings,
]


def refusal(model: type[Settings], environ: dict[str, str]) -> str:
    """Return what stops the start."""
    with pytest.raises(SettingsError) as error:
        load(model, environ)
    return str(error.value)


def test_settings_are_read_from_variables_of_their_names() -> None:
    """The rest has defaults."""
    settings = load(ConsumeGoalSettings, ALL)
    assert settings.kafka_bootstrap_servers == "127.0.0.1:9092"
    assert settings.database_url == POSTGRES["DATABASE_URL"]
    assert settings.redis_url == REDIS["REDIS_URL"]
    assert settings.publish_deadline_s == 5.0
    assert settings.log_level == "INFO"


def test_variables_of_other_programs_are_ignored() -> None:
    """An environment has many variables of other programs."""
    assert load(KafkaSettings, KAFKA | {"HOME": "/root", "PATH": ""}) == load(KafkaSettings, KAFKA)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (KafkaSettings, "KAFKA_BOOTSTRAP_SERVERS"),
        (PostgresSettings, "DATABASE_URL"),
        (IngestEventSettings, "KAFKA_BOOTSTRAP_SERVERS"),
        (ConsumeGoalSettings, "KAFKA_BOOTSTRAP_SERVERS"),
        (ConsumeGoalSettings, "DATABASE_URL"),
        (EnrichBatchSettings, "DATABASE_URL"),
        (ListHighlightsSettings, "DATABASE_URL"),
        (GetHighlightSettings, "DATABASE_URL"),
    ],
)
def test_a_missing_variable_is_named(model: type[Settings], name: str) -> None:
    """One that is empty is missing as well."""
    environ = {other: value for other, value in ALL.items() if other != name}
    assert refusal(model, environ) == f"cannot start: {name} is missing"
    assert refusal(model, environ | {name: ""}) == f"cannot start: {name} is missing"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "broker"),
        ("KAFKA_BOOTSTRAP_SERVERS", "broker:port"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:1,"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:1 b:2"),
        ("DATABASE_URL", "mysql://user@host/db"),
        ("DATABASE_URL", "host/db"),
        ("DATABASE_URL", "postgresql://user@host:port/db"),
        ("REDIS_URL", "http://host"),
        ("REDIS_URL", "redis://host:port/0"),
        ("LOG_LEVEL", "LOUD"),
        ("PUBLISH_DEADLINE_S", "soon"),
        ("PUBLISH_DEADLINE_S", "0"),
        ("PUBLISH_DEADLINE_S", "-1"),
        ("PUBLISH_DEADLINE_S", "nan"),
        ("PUBLISH_DEADLINE_S", "inf"),
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_POOL_SIZE", "1.5"),
        ("DATABASE_TIMEOUT_S", "0"),
        ("REDIS_TIMEOUT_S", "x"),
        ("CACHE_TTL_S", "0"),
        ("CACHE_TTL_S", "11"),  # a change may wait as long
        ("HIGHLIGHT_EVENT_TYPES", " , "),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    """At the start, not at the first request."""
    assert refusal(ConsumeGoalSettings, ALL | {name: value}).startswith(
        f"cannot start: {name} is wrong: "
    )


@pytest.mark.parametrize(
    "name",
    [
        "ENRICH_BATCH_SIZE",
        "ENRICH_TIME_BUDGET_S",
        "ENRICH_DEADLINE_S",
        "ENRICH_LEASE_S",
        "ENRICH_TIMEOUT_S",
        "ENRICH_MAX_ATTEMPTS",
        "ENRICH_BACKOFF_S",
        "ENRICH_CONCURRENCY",
    ],
)
@pytest.mark.parametrize("value", ["0", "-1", "many", "1e9"])
def test_a_wrong_variable_of_the_enrichment_is_named(name: str, value: str) -> None:
    """Each has bounds."""
    assert refusal(EnrichBatchSettings, ALL | {name: value}).startswith(
        f"cannot start: {name} is wrong: "
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENRICHER", "model"),
        ("ENRICHER_URL", "example.org/secret"),
        ("ENRICHER_URL", "ftp://example.org/secret"),
        ("ENRICHER_URL", "https:///secret"),
        ("ENRICHER_URL", "https://example.org:secret/"),
        ("ENRICHER_URL", "https://user:secret@example.org/"),
        ("ENRICHER_URL", "https://secret@example.org/"),
        ("ENRICHER_API_KEY", "secret\nX-Other: 1"),
        ("ENRICHER_API_KEY", "secrét"),
        ("OPENAI_API_KEY", "secret\r."),
        ("OPENAI_BASE_URL", "https://secret@example.org/v1"),
        ("OPENAI_BASE_URL", "https://example.org/v1?key=secret"),
        ("OPENAI_BASE_URL", "example.org/v1/secret"),
        ("OPENAI_MODEL", "a secret"),
        ("OPENAI_TEMPERATURE", "2.1"),
        ("OPENAI_TEMPERATURE", "nan"),
        ("OPENAI_MAX_TOKENS", "0"),
        ("ENRICHER_TIMEOUT_S", "0"),
        ("ENRICHER_SENDS_DESCRIPTION", "perhaps"),
    ],
)
def test_a_wrong_variable_of_the_enricher_is_named(name: str, value: str) -> None:
    """Its value, which may hold a key, is not shown."""
    message = refusal(EnrichBatchSettings, POSTGRES | {name: value})
    assert message.startswith(f"cannot start: {name} is wrong: ")
    assert "secr" not in message


@pytest.mark.parametrize(
    ("chosen", "needed"), [("http", "ENRICHER_URL"), ("openai", "OPENAI_MODEL")]
)
def test_what_the_chosen_enricher_needs_is_named(chosen: str, needed: str) -> None:
    """The other enrichers do without."""
    environ = POSTGRES | {"ENRICHER": chosen}
    assert refusal(EnrichBatchSettings, environ) == (
        f"cannot start: {needed} is missing: ENRICHER is {chosen}"
    )
    value = {"ENRICHER_URL": "http://127.0.0.1:1/"}.get(needed, "small")
    assert load(EnrichBatchSettings, environ | {needed: value}).enricher == chosen


def test_the_base_url_of_a_model_needs_no_slash_at_its_end() -> None:
    """As OpenAI's own client has it; without any, the address is OpenAI's."""
    base = "http://127.0.0.1:11434/v1"
    for given in (base, f"{base}/"):
        assert load(EnricherSettings, {"OPENAI_BASE_URL": given}).openai_base_url == base
    assert load(EnricherSettings, {}).openai_base_url == "https://api.openai.com/v1"


def test_a_lease_outlives_the_attempt_that_it_covers() -> None:
    """Otherwise two workers would enrich one highlight at the same time."""
    assert "ENRICH_LEASE_S" in refusal(
        EnrichBatchSettings, ALL | {"ENRICH_LEASE_S": "5", "ENRICH_TIMEOUT_S": "10"}
    )


def test_a_call_has_time_to_end_after_its_last_claim() -> None:
    """Otherwise its last attempts would have no time at all."""
    assert "ENRICH_DEADLINE_S" in refusal(
        EnrichBatchSettings, ALL | {"ENRICH_DEADLINE_S": "20", "ENRICH_TIME_BUDGET_S": "20"}
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("ENRICH_MAX_PER_MINUTE", "-1"), ("ENRICH_MAX_PER_MINUTE", "x"), ("ENRICH_WHILE_AWAY", "off")],
)
def test_a_wrong_variable_of_an_endpoint_is_named(name: str, value: str) -> None:
    """0 is no limit of calls."""
    assert load(EnrichBatchSettings, ALL | {"ENRICH_MAX_PER_MINUTE": "0"})
    assert name in refusal(EnrichBatchSettings, ALL | {name: value})


def test_all_errors_are_reported_at_once() -> None:
    """Otherwise three errors would need three starts."""
    message = refusal(ConsumeGoalSettings, {"REDIS_URL": "x", "LOG_LEVEL": "x"})
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL", "LOG_LEVEL"):
        assert name in message


def test_an_empty_variable_is_unset() -> None:
    """Then its default holds."""
    settings = load(
        ConsumeGoalSettings, ALL | {"REDIS_URL": "", "LOG_LEVEL": "", "HIGHLIGHT_EVENT_TYPES": ""}
    )
    assert settings.redis_url is None
    assert settings.log_level == "INFO"
    assert settings.rules.highlight_types.names == {"goal", "own_goal", "penalty_goal"}


@pytest.mark.parametrize("model", MODELS)
def test_secrets_are_not_shown(model: type[Settings]) -> None:
    """A password does not reach a log by way of the settings."""
    settings = load(model, ALL)
    assert "secret" not in f"{settings!r} {settings}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATE_LIMIT", "-1"),
        ("RATE_LIMIT", "inf"),
        ("RATE_LIMIT", "nan"),
        ("RATE_LIMIT", "many"),
        ("RATE_LIMIT_BURST", "0"),
        ("RATE_LIMIT_BURST", "1.5"),
        ("API_KEYS", "fifteen-letters"),
        ("API_KEYS", "a-secret-of-the-feed,short"),
        ("API_KEYS", "a-secret-of-the-fünf"),
        ("API_KEYS", " , "),
        ("CACHE_S_MAXAGE_S", "-1"),
        ("CACHE_S_MAXAGE_S", "0.5"),
        ("CACHE_S_MAXAGE_S", "86400"),
        ("CORS_ORIGINS", "example.org"),
        ("CORS_ORIGINS", "https://example.org/"),
        ("CORS_ORIGINS", "https://example.org/app"),
        ("CORS_ORIGINS", "https://*.example.org"),
        ("CORS_ORIGINS", "https://example.org:443"),
        ("CORS_ORIGINS", "http://example.org:80"),
        ("CORS_ORIGINS", "https://example.org:"),
        ("CORS_ORIGINS", "https://user@example.org"),
        ("CORS_ORIGINS", "https://exämple.org"),
        ("CORS_ORIGINS", "https://a.example,https://b.example"),
        ("CORS_ORIGINS", "* https://example.org"),
        ("CORS_ORIGINS", "null"),
    ],
)
def test_a_wrong_variable_of_the_access_is_named(name: str, value: str) -> None:
    """No part of a key is shown."""
    message = refusal(ListHighlightsSettings, ALL | {name: value})
    assert message.startswith(f"cannot start: {name} is wrong: ")
    assert "secret" not in message
    assert "short" not in message


@pytest.mark.parametrize(
    "text", ["{}", "{},{}", "{}, {}", "{}\n{}\n", " {}\t{} ", "{},,{},"], ids=repr
)
def test_keys_are_separated_by_commas_or_white_space(text: str) -> None:
    """Several are valid at a time, so that one can follow another without a gap."""
    keys = ["0123456789abcdef", "!\"#$%&'()*+-./:;<=>?@[]^_`{|}~"][: text.count("{}")]
    environ = {"API_KEYS": text.format(*keys)}
    assert [key.get_secret_value() for key in load(AccessSettings, environ).api_keys] == keys


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("*", ("*",)),
        ("https://example.org", ("https://example.org",)),
        (
            " HTTPS://Example.ORG:8443\thttp://localhost:3000 ",
            ("https://example.org:8443", "http://localhost:3000"),
        ),
        ("http://[::1]:5173 http://127.0.0.1", ("http://[::1]:5173", "http://127.0.0.1")),
        ("capacitor://localhost", ("capacitor://localhost",)),
        ("https://xn--exmple-cua.org", ("https://xn--exmple-cua.org",)),
        ("https://a.example https://a.example", ("https://a.example",)),
        ("", ()),
    ],
)
def test_origins_are_as_browsers_send_them(text: str, origins: tuple[str, ...]) -> None:
    """In lower case, each once, separated by white space; of any scheme, as apps have their own."""
    assert load(AccessSettings, {"CORS_ORIGINS": text}).cors_origins == origins


def test_an_origin_that_no_browser_would_send_is_named() -> None:
    """With how it is written, as it would silently match nothing."""
    message = refusal(AccessSettings, {"CORS_ORIGINS": "https://a.example https://b.example/"})
    assert "CORS_ORIGINS is wrong: 'https://b.example/' is no origin" in message
    assert "https://example.org" in message


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.9.10", "::1", "localhost", "LocalHost", ""]
)
def test_a_gateway_of_this_machine_alone_needs_no_key(address: str) -> None:
    """It is not reachable from elsewhere."""
    assert load(IngestEventSettings, KAFKA | {"GATEWAY_ADDRESS": address}).api_keys == ()


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:5001", "::", "192.168.0.7", "10.0.0.1", "example.com", "127.0.0.1.example", "*"],
)
def test_a_gateway_that_others_reach_needs_a_key(address: str) -> None:
    """Otherwise the start stops with an error."""
    environ = KAFKA | {"GATEWAY_ADDRESS": address}
    assert refusal(IngestEventSettings, environ).startswith(
        "cannot start: API_KEYS is missing: with GATEWAY_ADDRESS"
    )
    assert len(load(IngestEventSettings, environ | KEYS).api_keys) == 2


def in_file(tmp_path: Path, name: str, content: str | bytes) -> dict[str, str]:
    """Return the variable that points to a file with this content."""
    path = tmp_path / name.lower()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {f"{name}_FILE": str(path)}


@pytest.mark.parametrize(
    ("model", "name", "field", "text", "value"),
    [
        (KafkaSettings, "KAFKA_BOOTSTRAP_SERVERS", "kafka_bootstrap_servers", "a:1", "a:1"),
        (KafkaSettings, "PUBLISH_DEADLINE_S", "publish_deadline_s", "7", 7.0),
        (PostgresSettings, "DATABASE_URL", "database_url", "postgres://h/d", "postgres://h/d"),
        (PostgresSettings, "DATABASE_PASSWORD", "database_password", "word", SecretStr("word")),
        (RedisSettings, "REDIS_URL", "redis_url", "redis://h", "redis://h"),
        (RedisSettings, "REDIS_PASSWORD", "redis_password", "word", SecretStr("word")),
        (EnricherSettings, "ENRICHER_API_KEY", "enricher_api_key", "word", SecretStr("word")),
        (EnricherSettings, "OPENAI_API_KEY", "openai_api_key", "word", SecretStr("word")),
        (AccessSettings, "API_KEYS", "api_keys", "k" * 16, (SecretStr("k" * 16),)),
    ],
)
def test_a_variable_may_be_read_from_a_file(
    model: type[Settings], name: str, field: str, text: str, value: Any, tmp_path: Path
) -> None:
    """Any variable's, without the white space around it."""
    environ = {other: text for other, text in ALL.items() if other != name}
    settings = load(model, environ | in_file(tmp_path, name, f"\n {text} \n"))
    assert getattr(settings, field) == value


def test_an_empty_file_is_an_unset_variable(tmp_path: Path) -> None:
    """As an empty variable is."""
    level, url = in_file(tmp_path, "LOG_LEVEL", "\n"), in_file(tmp_path, "DATABASE_URL", "")
    assert load(KafkaSettings, KAFKA | level).log_level == "INFO"
    assert refusal(PostgresSettings, url) == "cannot start: DATABASE_URL is missing"


def test_an_empty_path_is_no_file() -> None:
    """The variable itself is used."""
    assert load(PostgresSettings, POSTGRES | {"DATABASE_URL_FILE": ""}) == load(
        PostgresSettings, POSTGRES
    )


def test_a_variable_and_its_file_must_not_both_be_set(tmp_path: Path) -> None:
    """Setting both is an error; an empty variable counts as unset."""
    file = in_file(tmp_path, "API_KEYS", "a-secret-of-the-app")
    message = refusal(AccessSettings, KEYS | file)
    assert message == "cannot start: API_KEYS_FILE is wrong: API_KEYS is set too"
    assert load(AccessSettings, file | {"API_KEYS": ""}).api_keys


@pytest.mark.parametrize(
    ("path", "why"), [("nowhere", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_named(path: str, why: str, tmp_path: Path) -> None:
    """Once: the variables that it should have set are not reported as missing too."""
    environ = {"API_KEYS_FILE": str(tmp_path / path), "DATABASE_URL_FILE": str(tmp_path / path)}
    assert refusal(ListHighlightsSettings, environ) == (
        f"cannot start: API_KEYS_FILE is wrong: {why}; DATABASE_URL_FILE is wrong: {why}"
    )


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run without the rights of root, who may read every file."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_an_unreadable_file_is_reported_with_owner_and_user() -> None:
    """The error has the file's owner and the process's user, which often differ in a container."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "keys"
        file.touch(mode=0o000)
        with unprivileged():
            message, user = refusal(AccessSettings, {"API_KEYS_FILE": str(file)}), os.geteuid()
        assert message == (
            "cannot start: API_KEYS_FILE is wrong: Permission denied: its mode is 0, its owner user"
            f" {os.geteuid()}, and this is user {user}"
        )
        Path(folder).chmod(0o000)
        with unprivileged():
            message = refusal(AccessSettings, {"API_KEYS_FILE": str(file)})
        assert message.endswith(
            f"Permission denied: user {user} may not pass through a folder above it"
        )
        Path(folder).chmod(0o700)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """The error shows no part of it."""
    message = refusal(AccessSettings, in_file(tmp_path, "API_KEYS", b"secret\xff"))
    assert message == "cannot start: API_KEYS_FILE is wrong: it is not UTF-8 text"


def test_an_invalid_value_in_a_file_is_not_shown(tmp_path: Path) -> None:
    """The variable is named, and why."""
    message = refusal(AccessSettings, in_file(tmp_path, "API_KEYS", "secret"))
    assert message.startswith("cannot start: API_KEYS is wrong: each key")
    assert "secret" not in message


def test_files_of_unknown_variables_are_ignored() -> None:
    """A file that belongs to no setting is not opened."""
    assert load(KafkaSettings, KAFKA | {"HOME_FILE": "/nowhere", "REDIS_URL_FILE": "/nowhere"})


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_a_refusal_does_not_show_the_secret(name: str) -> None:
    """The error has the reason without the value."""
    wrong = {name: "wrong://user:secret@host"}
    assert "secret" not in refusal(ConsumeGoalSettings, ALL | wrong)


def test_a_start_that_is_stopped_ends_the_process() -> None:
    """With a line on standard error and status 1, as SystemExit with a text does."""
    assert issubclass(SettingsError, SystemExit)


@pytest.mark.parametrize(
    ("value", "types"),
    [
        ("goal", {"goal"}),
        (" Goal , RED_CARD ", {"goal", "red_card"}),
        ("goal,,own_goal,", {"goal", "own_goal"}),
    ],
)
def test_highlight_types_are_folded_as_events_are(value: str, types: set[str]) -> None:
    """White space and empty places do not count."""
    settings = load(ConsumeGoalSettings, ALL | {"HIGHLIGHT_EVENT_TYPES": value})
    assert settings.rules.highlight_types.names == types


@pytest.mark.parametrize(
    "servers", ["localhost:9092", "[::1]:9092", "a.example:9092,b.example:9093"]
)
def test_a_broker_is_named_by_host_and_port(servers: str) -> None:
    """One or several."""
    environ = {"KAFKA_BOOTSTRAP_SERVERS": servers}
    assert load(KafkaSettings, environ).kafka_bootstrap_servers == servers
