"""Printing of rows: a table on a terminal, lines of `name=value` elsewhere, or JSON."""

import io
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from local.process.broken_pipe import discard_stdout

Row = Mapping[str, object]

BARE_WORD = re.compile(r'[^\s"=]+')
TABLE_ROWS = 500  # that a table may have, since it is drawn when all are there


def set_up() -> None:
    """Escape characters that standard output cannot encode, instead of raising an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def print_line(text: str) -> None:
    """Print a line of the result; raises BrokenPipeError if nobody reads it any more."""
    sys.stdout.write(f"{text}\n")


def print_progress(text: str) -> None:
    """Print a line about what was done; the command goes on even if nobody reads it any more."""
    try:
        print_line(text)
    except BrokenPipeError:
        discard_stdout()


def flush() -> None:
    """Print what is still buffered."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()


def print_json(document: object) -> None:
    """Print a JSON document."""
    print_line(json.dumps(document, indent=2, ensure_ascii=False))


def print_json_list(name: str, items: Iterable[object]) -> None:
    """Print a JSON document with a list under a name, each item as it comes."""
    sys.stdout.write(f'{{\n  "{name}": [')
    separator = "\n    "
    for item in items:
        text = json.dumps(item, indent=2, ensure_ascii=False).replace("\n", "\n    ")
        sys.stdout.write(separator + text)
        separator = ",\n    "
    print_line("\n  ]\n}")


def print_rows(rows: Iterable[Row]) -> int:
    """Print rows that have the same names, as they come; returns how many there were."""
    print_some = _print_table if sys.stdout.isatty() else _print_lines
    remaining, count = iter(rows), 0
    while some := list(islice(remaining, TABLE_ROWS)):
        print_some(some)
        count += len(some)
    return count


def _print_lines(rows: Sequence[Row]) -> None:
    for row in rows:
        print_line(" ".join(f"{name}={_word(value)}" for name, value in row.items()))


def _print_table(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*(name.replace("_", " ") for name in rows[0]))
    for row in rows:
        table.add_row(*(Text(_text(value)) for value in row.values()))
    Console().print(table)


def _word(value: object) -> str:
    """Return a value as one word, or in quotation marks."""
    text = _text(value)
    return text if BARE_WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value))


def printable(text: str) -> str:
    """Return a text with its control characters escaped, so that a terminal obeys none."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
