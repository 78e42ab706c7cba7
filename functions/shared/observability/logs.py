"""Structured logs: one JSON object a line on standard error."""

import json
import logging
from datetime import UTC, datetime

import orjson

from functions.shared.observability import trace


class JsonFormatter(logging.Formatter):
    """Time, level, service, message, the correlation id, and what `extra={"fields": …}` adds."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        """Render one record as one line of JSON."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self.service,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", {})
        if traceparent := trace.current.get():
            fields = {"correlationId": trace.trace_id(traceparent), **fields}
        line |= {name: value for name, value in fields.items() if name not in line}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _json(line)


def _json(line: dict[str, object]) -> str:
    """One line of JSON, whatever was logged: a log is the last place for an error of its own."""
    try:
        return orjson.dumps(line, default=str).decode()
    except TypeError:  # a lone surrogate, a key that is no text, an integer of more than 64 bits
        return json.dumps(line, default=str, skipkeys=True)


def configure(service: str, level: str = "INFO") -> None:
    """Send what the process logs to standard error as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def quiet_aws() -> None:
    """Keep AWS' clients from logging what they say at DEBUG: answers with secrets, and tokens."""
    for chatty in ("boto3", "botocore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
