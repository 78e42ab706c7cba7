"""The environment, read once: what is missing or wrong stops the start by its name."""

import pytest

from functions.consume_goal.settings import ConsumeGoalSettings
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.list_highlights.settings import ListHighlightsSettings
from functions.shared.settings import (
    KafkaSettings,
    PostgresSettings,
    RedisSettings,
    Settings,
    SettingsError,
    load,
)

KAFKA = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092"}
POSTGRES = {"DATABASE_URL": "postgresql://user:secret@127.0.0.1:5432/goalstream"}
REDIS = {"REDIS_URL": "redis://:secret@127.0.0.1:6379/0"}
ALL = {**KAFKA, **POSTGRES, **REDIS}
MODELS: list[type[Settings]] = [
    KafkaSettings,
    PostgresSettings,
    RedisSettings,
    ConsumeGoalSettings,
    EnrichBatchSettings,
    ListHighlightsSettings,
]


def refusal(model: type[Settings], environ: dict[str, str]) -> str:
    """Return what stops the start."""
    with pytest.raises(SettingsError) as error:
        load(model, environ)
    return str(error.value)


def test_what_a_function_needs_is_read_from_variables_of_its_fields_names() -> None:
    """The rest has defaults."""
    settings = load(ConsumeGoalSettings, ALL)
    assert settings.kafka_bootstrap_servers == "127.0.0.1:9092"
    assert settings.database_url == POSTGRES["DATABASE_URL"]
    assert settings.redis_url == REDIS["REDIS_URL"]
    assert settings.publish_deadline_s == 5.0
    assert settings.log_level == "INFO"


def test_variables_of_others_are_left_alone() -> None:
    """An environment is full of what is not ours."""
    assert load(KafkaSettings, KAFKA | {"HOME": "/root", "PATH": ""}) == load(KafkaSettings, KAFKA)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (KafkaSettings, "KAFKA_BOOTSTRAP_SERVERS"),
        (PostgresSettings, "DATABASE_URL"),
        (ConsumeGoalSettings, "KAFKA_BOOTSTRAP_SERVERS"),
        (ConsumeGoalSettings, "DATABASE_URL"),
        (EnrichBatchSettings, "DATABASE_URL"),
        (ListHighlightsSettings, "DATABASE_URL"),
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
        "ENRICH_LEASE_S",
        "ENRICH_TIMEOUT_S",
        "ENRICH_MAX_ATTEMPTS",
        "ENRICH_BACKOFF_S",
    ],
)
@pytest.mark.parametrize("value", ["0", "-1", "many", "1e9"])
def test_a_wrong_variable_of_the_enrichment_is_named(name: str, value: str) -> None:
    """Each has bounds."""
    assert refusal(EnrichBatchSettings, ALL | {name: value}).startswith(
        f"cannot start: {name} is wrong: "
    )


def test_a_lease_outlives_the_attempt_that_it_covers() -> None:
    """Else two workers would enrich one highlight at a time."""
    assert "ENRICH_LEASE_S" in refusal(
        EnrichBatchSettings, ALL | {"ENRICH_LEASE_S": "5", "ENRICH_TIMEOUT_S": "10"}
    )


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Nobody starts a function three times to learn of three mistakes."""
    said = refusal(ConsumeGoalSettings, {"REDIS_URL": "x", "LOG_LEVEL": "x"})
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL", "LOG_LEVEL"):
        assert name in said


def test_an_empty_variable_is_unset() -> None:
    """Then its default holds."""
    settings = load(
        ConsumeGoalSettings, ALL | {"REDIS_URL": "", "LOG_LEVEL": "", "HIGHLIGHT_EVENT_TYPES": ""}
    )
    assert settings.redis_url is None
    assert settings.log_level == "INFO"
    assert settings.highlight_types == {"goal", "own_goal", "penalty_goal"}


@pytest.mark.parametrize("model", MODELS)
def test_secrets_are_not_shown(model: type[Settings]) -> None:
    """A password does not reach a log by way of the settings."""
    settings = load(model, ALL)
    assert "secret" not in f"{settings!r} {settings}"


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_a_refusal_does_not_show_the_secret(name: str) -> None:
    """It says what is wrong without saying what it was."""
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
def test_highlight_types_are_compared_without_regard_to_case(value: str, types: set[str]) -> None:
    """White space and empty places do not count."""
    settings = load(ConsumeGoalSettings, ALL | {"HIGHLIGHT_EVENT_TYPES": value})
    assert settings.highlight_types == types


@pytest.mark.parametrize(
    "servers", ["localhost:9092", "[::1]:9092", "a.example:9092,b.example:9093"]
)
def test_a_broker_is_named_by_host_and_port(servers: str) -> None:
    """One or several."""
    environ = {"KAFKA_BOOTSTRAP_SERVERS": servers}
    assert load(KafkaSettings, environ).kafka_bootstrap_servers == servers
