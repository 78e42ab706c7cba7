"""Batches and results of `dlq redrive` and `dlq discard`, and how the results are printed."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.dead_letters.stored_dead_letter import StoredDeadLetter
from local.kafka_trigger.commands.errors import FAILED, Interrupted

# Dead letters in flight without a marker: so many may be redriven twice after a kill.
BATCH_SIZE = 100


class ActionResult(NamedTuple):
    """An action's result for a dead letter: the error, if any, and where its record was written."""

    dead_letter: StoredDeadLetter
    error: str | None = None
    written_to: str | None = None


def interruptible_batches(
    dead_letters: Iterable[StoredDeadLetter], is_stopping: Callable[[], bool]
) -> Iterator[list[StoredDeadLetter]]:
    """Yield batches of BATCH_SIZE; raises Interrupted if it is to stop and there is another."""
    remaining = iter(dead_letters)
    while batch := list(islice(remaining, BATCH_SIZE)):
        if is_stopping():
            raise Interrupted
        yield batch


def print_dry_run(
    dead_letters: Iterable[StoredDeadLetter],
    describe: Callable[[StoredDeadLetter], str],
    action: str,
) -> int:
    """Print what an action would do with each dead letter, and their number; returns 0."""
    count = 0
    for dead_letter in dead_letters:
        output.print_line(f"{dead_letter.id}: {describe(dead_letter)}")
        count += 1
    output.print_line(f"{count} to {action}; nothing was written")
    return 0


def print_results(
    results: Iterable[ActionResult], describe: Callable[[ActionResult], str], done: str
) -> int:
    """Print each result as it comes, and their numbers; returns the exit status."""
    succeeded = failed = 0
    try:
        for result in results:
            if result.error is None:
                succeeded += 1
            else:
                failed += 1
            output.print_progress(f"{result.dead_letter.id}: {describe(result)}")
    except Interrupted as error:
        raise Interrupted("interrupted; the others are as they were") from error
    finally:
        output.print_progress(f"{succeeded} {done}, {failed} failed")
    return FAILED if failed else 0
