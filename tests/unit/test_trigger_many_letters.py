"""Dead letters in such numbers that they would not fit into memory."""

import contextlib
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from confluent_kafka import Producer

from local.kafka_trigger.commands.dead_letter_index import DeadLetterIndex
from local.kafka_trigger.commands.dead_letter_output import say_list
from local.kafka_trigger.commands.redrive import Redriver
from local.kafka_trigger.commands.topic_reader import Span
from local.kafka_trigger.record import Record
from tests.support.builders.dead_letters import NOW, FakeProducer, buried, mark

COUNT = 1500
VALUE = 50_000  # bytes, of each
LIMIT = 40 * 2**20  # of 75 MB; the book's own bits are 16 MiB of it


def topic() -> Iterator[Record]:
    """Letters, each third of them with a mark."""
    for number in range(COUNT):
        yield buried(number, 2 * number, value=b"%d" % number + b"x" * VALUE)
        if number % 3 == 0:
            yield mark(f"0:{2 * number}")


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """Fails what takes more than the limit."""
    tracemalloc.start(1)
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < LIMIT
    finally:
        tracemalloc.stop()


def book() -> DeadLetterIndex:
    """The book of all."""
    return DeadLetterIndex({0: Span(0, 2 * COUNT)}, topic, "one")


@pytest.mark.parametrize("as_json", [True, False])
def test_a_list_keeps_no_letter(tmp_path: Path, as_json: bool) -> None:
    """What has been said is forgotten."""
    said = tmp_path / "said"
    with said.open("w") as output, contextlib.redirect_stdout(output), little_memory():
        say_list(book().entries(), as_json=as_json)
    text = said.read_text()
    listed = json.loads(text)["deadLetters"] if as_json else text.splitlines()
    assert len(listed) == 2 * COUNT // 3


def test_a_redrive_keeps_no_letter() -> None:
    """What is home is forgotten."""
    producer = FakeProducer(keeps=False)
    redriver = Redriver("dlq", cast(Producer, producer), lambda _: [2], lambda: NOW)
    with little_memory():
        ends = redriver.redrive(book().open(), lambda: False)
        assert sum(end.why is None for end in ends) == 2 * COUNT // 3
