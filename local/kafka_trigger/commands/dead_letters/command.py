"""`dlq`: choose a trigger's dead letters and list, show, redrive or discard them."""

import argparse
import sys
import threading
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace

from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.dead_letters.discard import discard
from local.kafka_trigger.commands.dead_letters.index import DeadLetterIndex, Entry
from local.kafka_trigger.commands.dead_letters.markers import RESOLUTIONS
from local.kafka_trigger.commands.dead_letters.original_records import OriginalRecords
from local.kafka_trigger.commands.dead_letters.printing import print_dead_letter, print_list
from local.kafka_trigger.commands.dead_letters.redrive import redrive
from local.kafka_trigger.commands.dead_letters.stored_dead_letter import StoredDeadLetter
from local.kafka_trigger.commands.errors import UsageError, choose_trigger
from local.kafka_trigger.commands.topic_reader import TopicReader, open_reader
from local.kafka_trigger.config.models import Config, Trigger
from local.kafka_trigger.record import Record


def dlq(config: Config, options: argparse.Namespace, stopping: threading.Event) -> int:
    """Run an action on a trigger's dead letters; returns the exit status."""
    trigger, dlq_topic = _choose(config, options.trigger)
    if "bootstrap.servers" in config.kafka.producer:
        raise UsageError(
            "[kafka.producer] has bootstrap.servers: dead letters are in another cluster"
        )
    if options.action in ("redrive", "discard") and options.all == bool(options.ids):
        raise UsageError(f"dlq {options.action}: give either ids or --all")
    with (
        open_reader(config.kafka, trigger, dlq_topic, stopping) as reader,
        OriginalRecords(config.kafka, trigger, stopping) as originals,
    ):
        index = _make_index(reader, trigger, dlq_topic)
        if options.action == "list":
            return _list(index, options)
        if options.action == "show":
            return _show(index, originals, options)
        named = None if options.all else list(_open_ones(_find(index, set(options.ids))))

        def select() -> Iterator[StoredDeadLetter]:
            return index.open() if named is None else iter(named)

        if options.action == "discard":
            return discard(
                config.kafka,
                dlq_topic,
                select,
                stopping,
                is_dry_run=options.dry_run,
                is_confirmed=options.yes,
            )
        return redrive(
            config.kafka, dlq_topic, select(), originals, stopping, is_dry_run=options.dry_run
        )


def _choose(config: Config, name: str | None) -> tuple[Trigger, str]:
    """Return the trigger that is meant, and its dead-letter topic."""
    with_topic = [each for each in config.triggers if each.dead_letter_topic]
    trigger = choose_trigger(with_topic if name is None and with_topic else config.triggers, name)
    if trigger.dead_letter_topic is None:
        raise UsageError(
            f"{trigger.name} has no dead_letter_topic: its dead letters are only logged"
        )
    return trigger, trigger.dead_letter_topic


def _make_index(reader: TopicReader, trigger: Trigger, dlq_topic: str) -> DeadLetterIndex:
    """Index what is in the topic now, and not what is written later."""
    partitions = reader.partitions()
    if not partitions:
        sys.stderr.write(f"there is no topic {dlq_topic} yet\n")
    ranges = reader.offset_ranges(partitions)

    def read() -> Iterator[Record]:
        for partition, offsets in ranges.items():
            yield from reader.read({partition: offsets})

    return DeadLetterIndex(ranges, read, trigger.name, trigger.topic)


def _list(index: DeadLetterIndex, options: argparse.Namespace) -> int:
    resolutions = {each for each in RESOLUTIONS.values() if vars(options)[each]}
    print_list(index.entries(), as_json=options.json, states=resolutions | {"open"})
    return 0


def _show(index: DeadLetterIndex, originals: OriginalRecords, options: argparse.Namespace) -> int:
    [entry] = _find(index, {options.id})
    dead_letter = replace(entry.dead_letter, original=originals.find(entry.dead_letter))
    print_dead_letter(dead_letter, entry.state, as_json=options.json)
    return 0


def _find(index: DeadLetterIndex, ids: Set[str]) -> list[Entry]:
    found: list[Entry] = []
    missing = set(ids)
    for entry in index.entries():
        if missing & entry.ids:
            found.append(entry)
            missing -= entry.ids
        if not missing:
            return found
    raise UsageError(f"no dead letter {', '.join(sorted(missing))}: see `dlq list`")


def _open_ones(entries: Iterable[Entry]) -> Iterator[StoredDeadLetter]:
    """Yield the dead letters that are open, and print of the others that they are not."""
    for dead_letter, state, _ in entries:
        if state == "open":
            yield dead_letter
        else:
            output.print_progress(f"{dead_letter.id}: already {state}")
