"""`dlq list`, `dlq show` and `dlq redrive`: a trigger's dead letters."""

import argparse
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import TopicMetadata

from local.kafka_trigger.client import producer_settings
from local.kafka_trigger.commands import letter_output, output
from local.kafka_trigger.commands.letter import Letter
from local.kafka_trigger.commands.letter_book import LetterBook
from local.kafka_trigger.commands.problem import FAILED, Interrupted, Misuse, pick
from local.kafka_trigger.commands.redrive import End, Redriver
from local.kafka_trigger.commands.topic_reader import ANSWERS_WITHIN_S, reading
from local.kafka_trigger.config import Config, Kafka, Trigger


def dlq(config: Config, options: argparse.Namespace, stopping: threading.Event) -> int:
    """Do what is asked for with a trigger's dead letters; returns the exit status."""
    trigger, topic = _chosen(config, options.trigger)
    book = _read(config, trigger, topic, stopping)
    if options.action == "list":
        letter_output.say_list(book, as_json=options.json, with_redriven=options.redriven)
        return 0
    if options.action == "show":
        [letter] = _found(book, [options.id])
        letter_output.say_letter(letter, book.state(letter), as_json=options.json)
        return 0
    chosen = _to_redrive(book, options)
    redriver = _redriver(config.kafka, topic)
    return _foretell(redriver, chosen) if options.dry_run else _redrive(redriver, chosen, stopping)


def _chosen(config: Config, name: str | None) -> tuple[Trigger, str]:
    """The trigger that is meant, and its dead-letter topic."""
    burying = [each for each in config.triggers if each.dead_letter_topic]
    trigger = pick(burying if name is None and burying else config.triggers, name)
    if trigger.dead_letter_topic is None:
        raise Misuse(f"{trigger.name} has no dead_letter_topic: its dead letters are logged only")
    return trigger, trigger.dead_letter_topic


def _read(config: Config, trigger: Trigger, topic: str, stopping: threading.Event) -> LetterBook:
    """All that is in the topic now; what comes later is not looked at."""
    with reading(config.kafka, trigger, topic, stopping) as reader:
        numbers = reader.partitions()
        if not numbers:
            sys.stderr.write(f"there is no topic {topic} yet\n")
        return LetterBook(reader.read(reader.spans(numbers)), trigger.name)


def _found(book: LetterBook, ids: Sequence[str]) -> list[Letter]:
    letters = {each: book.find(each) for each in ids}
    if missing := [each for each, letter in letters.items() if letter is None]:
        raise Misuse(f"no dead letter {', '.join(missing)}: see `dlq list`")
    return list({letter.id: letter for letter in letters.values() if letter}.values())


def _to_redrive(book: LetterBook, options: argparse.Namespace) -> list[Letter]:
    if options.all == bool(options.ids):
        raise Misuse("dlq redrive: either ids or --all")
    asked = book.letters if options.all else _found(book, options.ids)
    done = [each for each in asked if book.state(each) == "redriven"]
    for letter in () if options.all else done:
        output.say(f"{letter.id}: redriven before")
    return [each for each in asked if each not in done]


def _redriver(kafka: Kafka, topic: str) -> Redriver:
    """One whose producer keeps the order also when it has to try again."""
    try:
        producer = Producer({**producer_settings(kafka), "enable.idempotence": True})
    except KafkaException as error:
        raise Misuse(f"[kafka]: {error.args[0].str()}") from error

    @cache
    def topics() -> Mapping[str, TopicMetadata]:
        """All there are: a broker may make the one that it is asked for by name."""
        found: Mapping[str, TopicMetadata] = producer.list_topics(timeout=ANSWERS_WITHIN_S).topics
        return found

    def partitions_of(name: str) -> list[int]:
        return sorted(topics()[name].partitions) if name in topics() else []

    return Redriver(topic, producer, partitions_of)


def _foretell(redriver: Redriver, letters: Sequence[Letter]) -> int:
    for letter in letters:
        target = redriver.target(letter)
        where = f"would go to {letter.topic} {letter.partition}" if target else "has no topic"
        output.say(f"{letter.id}: {where} (it was {letter.offset})")
    output.say(f"{len(letters)} to redrive; nothing was written")
    return 0


def _redrive(redriver: Redriver, letters: Sequence[Letter], stopping: threading.Event) -> int:
    ends: list[End] = []
    for end in redriver.redrive(letters, stopping.is_set):
        ends.append(end)
        output.say(f"{end.letter.id}: {_told(end)}")
    failed = [end for end in ends if end.why]
    output.say(f"{len(ends) - len(failed)} redriven, {len(failed)} failed")
    if len(ends) < len(letters):
        raise Interrupted(f"interrupted; {len(letters) - len(ends)} are as they were")
    return FAILED if failed else 0


def _told(end: End) -> str:
    if end.place is None:
        return f"not redriven: {end.why}"
    return f"redriven to {end.place}" + (f"; {end.why}" if end.why else "")
