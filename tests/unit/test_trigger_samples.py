"""Sample records: the format of their files, and the samples that are shipped."""

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from functions.shared.contract.event import IdentifiedEvent
from local.kafka_trigger.commands.errors import UsageError
from local.kafka_trigger.commands.sample_records import read_samples
from local.kafka_trigger.envelopes.json_events import cloudevents_batch

ROOT = Path(__file__).parents[2]
GENERIC = sorted((ROOT / "local" / "kafka_trigger" / "events").iterdir())
GOALSTREAM = ROOT / "local" / "samples" / "events"


def written(folder: Path, text: str) -> Path:
    """A file with this text."""
    file = folder / "sample.json"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_sample_is_a_record(tmp_path: Path) -> None:
    """A text is itself, other JSON is written as JSON, null is null; headers keep their order."""
    text = """[
      {"key": "k", "value": "é", "headers": {"a": "1", "b": null}},
      {"key": 7, "value": {"a": [1, null]}, "headers": [["a", "1"], ["a", "2"]], "offset": 9},
      {"value_base64": "AP8=", "timestamp": 5}
    ]"""
    first, second, third = read_samples(written(tmp_path, text), "t")
    assert (first.topic(), first.partition(), first.offset()) == ("t", 0, 0)
    assert (first.key(), first.value(), len(first)) == (b"k", "é".encode(), 2)
    assert first.headers() == [("a", b"1"), ("b", None)]
    assert (second.key(), second.value(), second.offset()) == (b"7", b'{"a":[1,null]}', 9)
    assert second.headers() == [("a", b"1"), ("a", b"2")]
    assert (third.key(), third.value(), third.timestamp()) == (None, b"\0\xff", (1, 5))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "no sample: "),
        ("[]", "there is no record in it"),
        ("7", "record 0: "),
        ('{"valeu": 1}', "record 0: valeu: "),
        ('[{}, {"value_base64": "?"}]', "record 1: value_base64: is no base64"),
        ('{"value": "\\ud800"}', "no sample: "),
        ("[" * 100_000, "no sample: "),
    ],
)
def test_an_invalid_sample_is_reported_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    """With the number of the record and the name of the field."""
    with pytest.raises(UsageError) as raised:
        read_samples(written(tmp_path, text), "t")
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("file", [*GENERIC, *GOALSTREAM.iterdir()], ids=lambda file: file.stem)
def test_the_samples_that_are_shipped_can_be_posted(file: Path) -> None:
    """Each is read, and goes into an envelope."""
    assert cloudevents_batch(read_samples(file, "t")).body


def test_the_triggers_own_samples_know_nothing_of_highlights() -> None:
    """They serve any function."""
    words = ("goal", "match", "highlight")
    texts = [file.read_text(encoding="utf-8").lower() for file in GENERIC]
    assert texts
    assert not [word for text in texts for word in words if word in text]


@pytest.mark.parametrize("name", ["goal", "own_goal", "retraction"])
def test_goalstreams_samples_are_events(name: str) -> None:
    """As consume-goal takes them, and the retraction is one."""
    [record] = read_samples(GOALSTREAM / f"{name}.json", "match-events")
    event = IdentifiedEvent.model_validate_json(record.value() or b"")
    assert record.key() == str(event.match_id).encode()
    assert (name == "retraction") == event.retracted


def test_garbage_is_no_event() -> None:
    """A function has to reject it."""
    [record] = read_samples(GOALSTREAM / "garbage.json", "match-events")
    with pytest.raises(ValidationError):
        IdentifiedEvent.model_validate_json(record.value() or b"")


def test_base64_holds_any_bytes() -> None:
    """Such as a key or a value that JSON text cannot hold."""
    [record] = read_samples(ROOT / "local" / "kafka_trigger" / "events" / "bytes.json", "t")
    assert record.key() == b"\xff"
    assert record.value() == base64.b64decode("AAECA/8=")
