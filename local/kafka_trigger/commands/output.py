"""Rows for people: a table on a terminal, plain lines elsewhere; or JSON for programs."""

import io
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from local.process.broken_pipe import discard_stdout

Row = Mapping[str, object]

WORD = re.compile(r'[^\s"=]+')
ROWS_AT_ONCE = 500  # that a table may have, since it is drawn when all are there


def begin() -> None:
    """Let no letter that standard output cannot encode end a command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """Print a line of what goes on, though nobody may read it any more."""
    try:
        say(text)
    except BrokenPipeError:
        discard_stdout()


def end() -> None:
    """Print what is left to print."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()


def say_json(document: object) -> None:
    """Print a document."""
    say(json.dumps(document, indent=2, ensure_ascii=False))


def say_json_list(name: str, items: Iterable[object]) -> None:
    """Print a document that is a list under a name, each item as it comes."""
    sys.stdout.write(f'{{\n  "{name}": [')
    separator = "\n    "
    for item in items:
        text = json.dumps(item, indent=2, ensure_ascii=False).replace("\n", "\n    ")
        sys.stdout.write(separator + text)
        separator = ",\n    "
    say("\n  ]\n}")


def say_rows(rows: Iterable[Row]) -> int:
    """Print rows that have the same names, as they come; returns how many there were."""
    say_some = _say_table if sys.stdout.isatty() else _say_lines
    left, count = iter(rows), 0
    while some := list(islice(left, ROWS_AT_ONCE)):
        say_some(some)
        count += len(some)
    return count


def _say_lines(rows: Sequence[Row]) -> None:
    for row in rows:
        say(" ".join(f"{name}={_plain(value)}" for name, value in row.items()))


def _say_table(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*(name.replace("_", " ") for name in rows[0]))
    for row in rows:
        table.add_row(*(Text(_shown(value)) for value in row.values()))
    Console().print(table)


def _plain(value: object) -> str:
    """A value as one word, or in quotation marks."""
    text = _shown(value)
    return text if WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value))


def printable(text: str) -> str:
    """A text that does nothing to a terminal."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
