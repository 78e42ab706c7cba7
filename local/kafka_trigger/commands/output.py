"""Rows for people: a table on a terminal, plain lines elsewhere; or JSON for programs."""

import io
import json
import os
import sys
from collections.abc import Mapping, Sequence

Row = Mapping[str, object]


def begin() -> None:
    """Let no letter that standard output cannot encode end a command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def fall_silent() -> None:
    """Who read standard output, such as `head`, has gone: say nothing more, at exit neither."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def say_json(document: object) -> None:
    """Print a document."""
    say(json.dumps(document, indent=2, ensure_ascii=False))


def say_rows(rows: Sequence[Row]) -> None:
    """Print rows that have the same names."""
    if rows and sys.stdout.isatty():
        _say_table(rows)
        return
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
    is_word = text and not any(each.isspace() or each in '"=' for each in text)
    return text if is_word else json.dumps(text, ensure_ascii=False)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value))


def printable(text: str) -> str:
    """A text that does nothing to a terminal."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
