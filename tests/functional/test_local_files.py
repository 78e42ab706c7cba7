"""The committed files of the local tools."""

from pathlib import Path

import pytest

from local.cron.crontab import parse
from local.kafka_trigger.config.load import ConfigError, load

LOCAL = Path(__file__).parents[2] / "local"

ENVIRON = {
    "KAFKA_BOOTSTRAP_SERVERS": "b:9092",
    "CONSUME_GOAL_URL": "http://consume-goal:8080/",
    "ENRICH_BATCH_URL": "http://enrich-batch:8080/",
}


def test_the_triggers_deliver_two_topics_to_two_functions() -> None:
    """`local/triggers.toml` is valid, and only events have a dead-letter topic."""
    triggers = load(LOCAL / "triggers.toml", ENVIRON).triggers
    assert [(each.topic, each.function, each.dead_letter_topic) for each in triggers] == [
        ("match-events", ENVIRON["CONSUME_GOAL_URL"], "match-events.dlq"),
        ("highlights-pending", ENVIRON["ENRICH_BATCH_URL"], None),
    ]


def test_the_crontab_calls_enrich_batch() -> None:
    """`local/crontab` is valid, and has one line."""
    lines = parse((LOCAL / "crontab").read_text(encoding="utf-8"), ENVIRON)
    assert [(line.name, line.url) for line in lines] == [
        ("enrich-batch", ENVIRON["ENRICH_BATCH_URL"])
    ]


def test_an_error_in_a_file_has_its_path(tmp_path: Path) -> None:
    """No traceback for a wrong path, a binary file, or an unset variable."""
    path = tmp_path / "triggers.toml"
    with pytest.raises(ConfigError, match=r"triggers\.toml: No such file"):
        load(path, {})
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"triggers\.toml: .*utf-8"):
        load(path, {})
    with pytest.raises(ConfigError) as refused:
        load(LOCAL / "triggers.toml", {})
    assert all(f"{LOCAL}/triggers.toml: " in line for line in str(refused.value).splitlines())
