"""Sample records: what a file may say, and that those that are shipped say it."""

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from functions.shared.contract.event import IdentifiedEvent
from local.kafka_trigger.commands.errors import Misuse
from local.kafka_trigger.commands.sample import read_samples
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
    ("text", "said"),
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
def test_a_bad_sample_is_told_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    """With the record and the name that are wrong."""
    with pytest.raises(Misuse) as told:
        read_samples(written(tmp_path, text), "t")
    assert said in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("file", [*GENERIC, *GOALSTREAM.iterdir()], ids=lambda file: file.stem)
def test_the_samples_that_are_shipped_can_be_posted(file: Path) -> None:
    """Each is read, and goes into an envelope."""
    assert cloudevents_batch(read_samples(file, "t")).body


def test_the_trigger_s_own_samples_know_nothing_of_highlights() -> None:
    """They serve any function."""
    words = ("goal", "match", "highlight")
    texts = [file.read_text(encoding="utf-8").lower() for file in GENERIC]
    assert texts
    assert not [word for text in texts for word in words if word in text]


@pytest.mark.parametrize("name", ["goal", "own_goal", "retraction"])
def test_goalstream_s_samples_are_events(name: str) -> None:
    """As consume-goal wants them, and the retraction is of the goal."""
    [record] = read_samples(GOALSTREAM / f"{name}.json", "match-events")
    event = IdentifiedEvent.model_validate_json(record.value() or b"")
    assert record.key() == str(event.match_id).encode()
    assert (name == "retraction") == event.retracted


def test_garbage_is_no_event() -> None:
    """It is what a function has to refuse."""
    [record] = read_samples(GOALSTREAM / "garbage.json", "match-events")
    with pytest.raises(ValidationError):
        IdentifiedEvent.model_validate_json(record.value() or b"")


def test_bytes_are_told_by_base64() -> None:
    """A key or a value that no JSON text can hold."""
    [record] = read_samples(ROOT / "local" / "kafka_trigger" / "events" / "bytes.json", "t")
    assert record.key() == b"\xff"
    assert record.value() == base64.b64decode("AAECA/8=")
