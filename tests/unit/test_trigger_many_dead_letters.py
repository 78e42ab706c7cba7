"""Dead letters in such numbers that they would not fit into memory."""

import contextlib
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.kafka_trigger.commands.dead_letters.index import DeadLetterIndex
from local.kafka_trigger.commands.dead_letters.printing import print_list
from local.kafka_trigger.commands.topic_reader import OffsetRange
from local.kafka_trigger.record import Record
from tests.support.builders.dead_letters import (
    FakeProducer,
    dead_letter_record,
    marker,
    redriver_of,
)
from tests.support.builders.records import TOPIC

COUNT = 1500
VALUE_BYTES = 50_000  # of each
LIMIT = 40 * 2**20  # of 75 MB; the index's own bits are 16 MiB of it


def read() -> Iterator[Record]:
    """Dead letters, each third of them with a marker."""
    for number in range(COUNT):
        value = b"%d" % number + b"x" * VALUE_BYTES
        yield dead_letter_record(number, 2 * number, value=value)
        if number % 3 == 0:
            yield marker(f"0:{2 * number}")


@contextlib.contextmanager
def limited_memory() -> Iterator[None]:
    """Fail if more than the limit is allocated."""
    tracemalloc.start(1)
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < LIMIT
    finally:
        tracemalloc.stop()


def make_index() -> DeadLetterIndex:
    """The index of all."""
    return DeadLetterIndex({0: OffsetRange(0, 2 * COUNT)}, read, "one", TOPIC)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_list_keeps_no_dead_letter_in_memory(tmp_path: Path, as_json: bool) -> None:
    """Each is freed when it is printed."""
    file = tmp_path / "output"
    with file.open("w") as output, contextlib.redirect_stdout(output), limited_memory():
        print_list(make_index().entries(), as_json=as_json)
    text = file.read_text()
    listed = json.loads(text)["deadLetters"] if as_json else text.splitlines()
    assert len(listed) == 2 * COUNT // 3


def test_a_redrive_keeps_no_dead_letter_in_memory() -> None:
    """Each is freed when it is redriven."""
    redriver = redriver_of(FakeProducer(keeps=False), partitions=[2])
    with limited_memory():
        results = redriver.redrive(make_index().open(), lambda: False)
        assert sum(result.error is None for result in results) == 2 * COUNT // 3
