"""Printing dead letters: a list, or one with its headers and its value."""

import json
from collections.abc import Iterable, Set

from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.dead_letters.index import Entry, State
from local.kafka_trigger.commands.dead_letters.stored_dead_letter import (
    GONE,
    RecordContent,
    StoredDeadLetter,
)

MAX_ERROR = 200  # characters of an error in a list


def print_list(
    entries: Iterable[Entry], *, as_json: bool, states: Set[State] = frozenset({"open"})
) -> None:
    """Print the dead letters in these states, as they come."""
    rows = (_summary(each.dead_letter, each.state) for each in entries if each.state in states)
    if as_json:
        output.print_json_list("deadLetters", rows)
    elif not output.print_rows({**row, "error": str(row["error"])[:MAX_ERROR]} for row in rows):
        output.print_line("no dead letters")


def print_dead_letter(dead_letter: StoredDeadLetter, state: State, *, as_json: bool) -> None:
    """Print a dead letter with its headers and its value, or say that the value is gone."""
    is_gone = dead_letter.original is None
    _, value, headers = dead_letter.original or RecordContent.of(dead_letter.dlq_record)
    if as_json:
        document = {
            **_summary(dead_letter, state),
            "headers": [{"name": name, **bytes_as_json(_bytes(each))} for name, each in headers],
            "value": {"gone": GONE} if is_gone else bytes_as_json(value),
        }
        output.print_json(document)
        return
    for name, fact in _summary(dead_letter, state).items():
        output.print_line(f"{name}: {output.printable(str(fact))}")
    output.print_line("headers:")
    for name, each in headers:
        output.print_line(f"  {output.printable(name)}: {bytes_as_text(_bytes(each))}")
    output.print_line("value:")
    output.print_line(GONE if is_gone else bytes_as_text(value, is_multiline=True))


def _bytes(header: str | bytes | None) -> bytes | None:
    return header.encode() if isinstance(header, str) else header


def _summary(dead_letter: StoredDeadLetter, state: State) -> dict[str, object]:
    failure = dead_letter.failure
    return {
        "id": dead_letter.id,
        "state": state,
        "time": failure.time,
        "topic": dead_letter.topic,
        "partition": dead_letter.partition,
        "offset": dead_letter.offset,
        "key": bytes_as_text(dead_letter.key),
        "status": failure.status,
        "attempts": failure.attempts,
        "redrives": dead_letter.redrives,
        "bytes": dead_letter.size,
        "omitted": dead_letter.omitted,
        "error": failure.error,
    }


def bytes_as_json(value: bytes | None) -> dict[str, object]:
    """Return bytes for a JSON document, under the name `json`, `text` or `hex`; null is `json`."""
    if value is None:
        return {"json": None}
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return {"hex": value.hex()}
    try:
        return {"json": json.loads(text)} if text[:1] in ("{", "[") else {"text": text}
    except (ValueError, RecursionError):
        return {"text": text}


def bytes_as_text(value: bytes | None, *, is_multiline: bool = False) -> str:
    """Return bytes as text that is safe on a terminal: one line, or JSON and text in several."""
    if value is None:
        return "null"
    document = bytes_as_json(value)
    if "hex" in document:
        return f"0x{document['hex']}"
    if not is_multiline:
        return output.printable(value.decode())
    if "json" in document:
        return json.dumps(document["json"], indent=2, ensure_ascii=False)
    return "\n".join(output.printable(line) for line in value.decode().splitlines())
