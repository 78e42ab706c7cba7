"""The trigger's page agrees with the code on settings and envelopes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from confluent_kafka import Producer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.config.load import parse
from local.kafka_trigger.config.models import Config, Retry, Trigger
from local.kafka_trigger.envelopes.encoder import Envelope
from local.kafka_trigger.filters.record_filter import Filter
from local.kafka_trigger.kafka.settings import producer_settings

PAGE = Path(__file__).parents[2] / "local" / "kafka_trigger" / "README.md"
TABLES: dict[str, type[BaseModel]] = {
    "": Config,
    "kafka.": Kafka,
    "trigger.": Trigger,
    "trigger.retry.": Retry,
    "trigger.filter.": Filter,
}
Row = tuple[str, str, str]


def section(title: str) -> str:
    """The text under a heading, up to the next of its kind."""
    return PAGE.read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[Row]:
    """The rows of a text's table: key, default and meaning."""
    return re.findall(r"^\| `([^`|]*)` \| ([^|]*) \| (.*) \|$", text, re.MULTILINE)


def of_models() -> Iterator[Row]:
    """The rows that the models make."""
    for prefix, table in TABLES.items():
        for name, field in table.model_fields.items():
            if (table, name) != (Kafka, "common"):  # the keys of [kafka] itself
                yield prefix + (field.alias or name), default(table, field), field.description or ""


def default(table: type[BaseModel], field: FieldInfo) -> str:
    """A field's default as the page shows it."""
    if isinstance(field.default, float):
        return f"`{field.default:g}`"
    if isinstance(field.default, str | int):
        return f"`{field.default}`"
    return "required" if field.is_required() and table is not Kafka else "none"


def test_every_key_is_in_the_table_with_its_default_and_meaning() -> None:
    """The table of settings is the models' own: no key is missing, and none too many."""
    assert sorted(rows(section("Settings"))) == sorted(of_models())


def test_every_envelope_is_documented() -> None:
    """By the name that the file has for it."""
    documented = [name for name, _, _ in rows(section("Envelopes"))]
    assert documented == list(get_args(Envelope))


@pytest.mark.parametrize("title", ["Settings", "Filters"])
def test_the_examples_are_good_files(title: str) -> None:
    """A copy of an example can be used unchanged."""
    [whole] = re.findall(r"```toml\n(.*?)```", section("Settings"), re.DOTALL)
    [example] = re.findall(r"```toml\n(.*?)```", section(title), re.DOTALL)
    config = parse(whole if title == "Settings" else whole + example, {})
    assert len(config.triggers[0].filter) == (2 if title == "Filters" else 0)


def test_the_example_for_a_cloud_s_cluster_is_a_good_file() -> None:
    """With what it names in the environment; librdkafka knows each of its settings."""
    [whole] = re.findall(r"```toml\n(.*?)```", section("Settings"), re.DOTALL)
    [secure] = re.findall(r"```toml\n(.*?)```", section("Security"), re.DOTALL)
    text = whole.replace('[kafka]\nbootstrap.servers = "localhost:9092"\n', secure)
    named = dict.fromkeys(re.findall(r"\$\{(\w+)\}", secure), "x")
    kafka = parse(text, named).kafka
    assert kafka.common["sasl.password"] == "x"
    Producer(producer_settings(kafka))


def test_the_comparison_with_other_triggers_has_sources() -> None:
    """Each cell about another product has a link, or is empty."""
    table = [
        line for line in section("Comparison with other triggers").splitlines() if line[:1] == "|"
    ]
    cells = [cell.strip() for line in table[2:] for cell in line.split("|")[3:-1]]
    assert len(cells) == 6 * len(table[2:]) > 0
    assert all(cell in {"", "–"} or "][" in cell for cell in cells)
