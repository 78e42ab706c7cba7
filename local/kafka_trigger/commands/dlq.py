"""`dlq list`, `show`, `redrive` and `discard`: a trigger's dead letters."""

import argparse
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace
from functools import cache

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import TopicMetadata

from local.kafka_trigger.commands import dead_letter_output, output
from local.kafka_trigger.commands.dead_letter import GONE, MARKS, StoredDeadLetter
from local.kafka_trigger.commands.dead_letter_index import DeadLetterIndex, Entry
from local.kafka_trigger.commands.discard import Discarder, confirm
from local.kafka_trigger.commands.errors import FAILED, Interrupted, Misuse, pick
from local.kafka_trigger.commands.marks import End
from local.kafka_trigger.commands.redrive import Redriver
from local.kafka_trigger.commands.source import Source
from local.kafka_trigger.commands.topic_reader import ANSWERS_WITHIN_S, TopicReader, reading
from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.config.models import Config, Trigger
from local.kafka_trigger.kafka.producer import ResilientProducer
from local.kafka_trigger.kafka.settings import producer_settings
from local.kafka_trigger.record import Record


def dlq(config: Config, options: argparse.Namespace, stopping: threading.Event) -> int:
    """Do what is asked for with a trigger's dead letters; returns the exit status."""
    trigger, topic = _chosen(config, options.trigger)
    if "bootstrap.servers" in config.kafka.producer:
        raise Misuse("[kafka.producer] has bootstrap.servers: letters are in another cluster")
    if options.action in ("redrive", "discard") and options.all == bool(options.ids):
        raise Misuse(f"dlq {options.action}: either ids or --all")
    with (
        reading(config.kafka, trigger, topic, stopping) as reader,
        Source(config.kafka, trigger, stopping) as source,
    ):
        book = _book(reader, trigger, topic)
        if options.action == "list":
            closed = {state for state in MARKS.values() if vars(options)[state]}
            dead_letter_output.say_list(
                book.entries(), as_json=options.json, states=closed | {"open"}
            )
            return 0
        if options.action == "show":
            [entry] = _found(book, {options.id})
            letter = replace(entry.letter, content=source.find(entry.letter))
            dead_letter_output.say_letter(letter, entry.state, as_json=options.json)
            return 0
        named = None if options.all else list(_still_open(_found(book, set(options.ids))))

        def chosen() -> Iterator[StoredDeadLetter]:
            return book.open() if named is None else iter(named)

        if options.action == "discard":
            return _discard(config.kafka, topic, chosen, options, stopping)
        redriver = _redriver(config.kafka, topic, source)
        if options.dry_run:
            return _foretell(redriver, chosen(), source)
        return _redrive(redriver, chosen(), stopping)


def _chosen(config: Config, name: str | None) -> tuple[Trigger, str]:
    """The trigger that is meant, and its dead-letter topic."""
    burying = [each for each in config.triggers if each.dead_letter_topic]
    trigger = pick(burying if name is None and burying else config.triggers, name)
    if trigger.dead_letter_topic is None:
        raise Misuse(f"{trigger.name} has no dead_letter_topic: its dead letters are logged only")
    return trigger, trigger.dead_letter_topic


def _book(reader: TopicReader, trigger: Trigger, topic: str) -> DeadLetterIndex:
    """All that is in the topic now; what comes later is not looked at."""
    numbers = reader.partitions()
    if not numbers:
        sys.stderr.write(f"there is no topic {topic} yet\n")
    spans = reader.spans(numbers)

    def read() -> Iterator[Record]:
        for number, span in spans.items():
            yield from reader.read({number: span})

    return DeadLetterIndex(spans, read, trigger.name, trigger.topic)


def _found(book: DeadLetterIndex, ids: Set[str]) -> list[Entry]:
    found: list[Entry] = []
    missing = set(ids)
    for entry in book.entries():
        if missing & entry.ids:
            found.append(entry)
            missing -= entry.ids
        if not missing:
            return found
    raise Misuse(f"no dead letter {', '.join(sorted(missing))}: see `dlq list`")


def _still_open(entries: Iterable[Entry]) -> Iterator[StoredDeadLetter]:
    for letter, state, _ in entries:
        if state == "open":
            yield letter
        else:
            output.note(f"{letter.id}: {state} before")


def _producer(kafka: Kafka) -> ResilientProducer:
    """One that keeps the order also when it has to try again."""
    try:
        return ResilientProducer({**producer_settings(kafka), "enable.idempotence": True})
    except KafkaException as error:
        raise Misuse(f"[kafka]: {error.args[0].str()}") from error


def _redriver(kafka: Kafka, topic: str, source: Source) -> Redriver:
    producer = _producer(kafka)

    @cache
    def topics() -> Mapping[str, TopicMetadata]:
        """All there are: a broker may make the one that it is asked for by name."""
        found: Mapping[str, TopicMetadata] = producer.list_topics(timeout=ANSWERS_WITHIN_S).topics
        return found

    def partitions_of(name: str) -> list[int]:
        return sorted(topics()[name].partitions) if name in topics() else []

    return Redriver(topic, producer, partitions_of, find=source.find)


def _foretell(redriver: Redriver, letters: Iterable[StoredDeadLetter], source: Source) -> int:
    def told(letter: StoredDeadLetter) -> str:
        return f"{_foretold(redriver.target(letter), letter, source)} (it was {letter.offset})"

    return _say_each(letters, told, "redrive")


def _say_each(
    letters: Iterable[StoredDeadLetter], told: Callable[[StoredDeadLetter], str], action: str
) -> int:
    count = 0
    for letter in letters:
        output.say(f"{letter.id}: {told(letter)}")
        count += 1
    output.say(f"{count} to {action}; nothing was written")
    return 0


def _foretold(target: TopicPartition | None, letter: StoredDeadLetter, source: Source) -> str:
    if target is None:
        return "has no topic"
    if source.find(letter) is None:
        return f"is lost: {GONE}"
    return f"would go to {letter.topic} {letter.partition}"


def _redrive(
    redriver: Redriver, letters: Iterable[StoredDeadLetter], stopping: threading.Event
) -> int:
    return _tell(redriver.redrive(letters, stopping.is_set), _told, "redriven")


def _discard(
    kafka: Kafka,
    topic: str,
    chosen: Callable[[], Iterator[StoredDeadLetter]],
    options: argparse.Namespace,
    stopping: threading.Event,
) -> int:
    if options.dry_run:
        return _say_each(chosen(), lambda _: "would be discarded", "discard")
    if not options.yes and (count := sum(1 for _ in chosen())):
        confirm(count, topic, stopping)
    ends = Discarder(topic, _producer(kafka)).discard(chosen(), stopping.is_set)
    return _tell(
        ends, lambda end: f"not discarded: {end.why}" if end.why else "discarded", "discarded"
    )


def _tell(ends: Iterator[End], told: Callable[[End], str], done: str) -> int:
    """Tell what became of each letter, as it comes, and of how many; returns the exit status."""
    ended: Counter[bool] = Counter()
    try:
        for end in ends:
            ended[end.why is None] += 1
            output.note(f"{end.letter.id}: {told(end)}")
    except Interrupted as error:
        raise Interrupted("interrupted; the others are as they were") from error
    finally:
        output.note(f"{ended[True]} {done}, {ended[False]} failed")
    return FAILED if ended[False] else 0


def _told(end: End) -> str:
    if end.place is None:
        return f"not redriven: {end.why}"
    return f"redriven to {end.place}" + (f"; {end.why}" if end.why else "")
