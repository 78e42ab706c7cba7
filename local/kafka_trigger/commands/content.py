"""Bytes for people: as JSON, as text, or else in hexadecimal."""

import json

from local.kafka_trigger.commands.output import printable


def content(value: bytes | None) -> dict[str, object]:
    """Bytes in a JSON document: `json`, `text` or `hex` says how; a null is `json`'s own."""
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


def shown(value: bytes | None, *, whole: bool = False) -> str:
    """Bytes on a terminal: on a line, or as a whole document."""
    if value is None:
        return "null"
    told = content(value)
    if "hex" in told:
        return f"0x{told['hex']}"
    if "json" in told and whole:
        return json.dumps(told["json"], indent=2, ensure_ascii=False)
    lines = value.decode().splitlines() if whole else [value.decode()]
    return "\n".join(printable(line) for line in lines)
