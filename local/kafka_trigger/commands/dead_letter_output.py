"""Dead letters in words: a list, and one with all that it holds."""

from collections.abc import Iterable, Set

from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.content import content, shown
from local.kafka_trigger.commands.dead_letter import GONE, Content, StoredDeadLetter
from local.kafka_trigger.commands.dead_letter_index import Entry, State

QUOTED = 200  # characters of an error in a list


def say_list(
    entries: Iterable[Entry], *, as_json: bool, states: Set[State] = frozenset({"open"})
) -> None:
    """Print the letters in these states, as they come."""
    rows = (_summary(entry.letter, entry.state) for entry in entries if entry.state in states)
    if as_json:
        output.say_json_list("deadLetters", rows)
    elif not output.say_rows({**row, "error": str(row["error"])[:QUOTED]} for row in rows):
        output.say("no dead letters")


def say_letter(letter: StoredDeadLetter, state: State, *, as_json: bool) -> None:
    """Print a letter with its headers and its value, or say that the value is gone."""
    _, value, headers = letter.content or Content.of(letter.record)
    is_gone = letter.content is None
    if as_json:
        told = [{"name": name, **content(_bytes(header))} for name, header in headers]
        whole = {"headers": told, "value": {"gone": GONE} if is_gone else content(value)}
        output.say_json({**_summary(letter, state), **whole})
        return
    for name, told_of_it in _summary(letter, state).items():
        output.say(f"{name}: {output.printable(str(told_of_it))}")
    output.say("headers:")
    for name, header in headers:
        output.say(f"  {output.printable(name)}: {shown(_bytes(header))}")
    output.say("value:")
    output.say(GONE if is_gone else shown(value, whole=True))


def _bytes(header: str | bytes | None) -> bytes | None:
    return header.encode() if isinstance(header, str) else header


def _summary(letter: StoredDeadLetter, state: State) -> dict[str, object]:
    return {
        "id": letter.id,
        "state": state,
        "time": letter.told.get("time"),
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "key": shown(letter.key),
        "status": letter.told.get("status"),
        "attempts": letter.told.get("attempts"),
        "redrives": letter.redrives,
        "bytes": letter.size,
        "omitted": letter.omitted,
        "error": letter.told.get("error"),
    }
