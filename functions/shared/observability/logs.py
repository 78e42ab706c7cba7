"""Structured logs: one JSON object per line on standard error."""

import json
import logging
from datetime import UTC, datetime

import orjson

from functions.shared.observability import trace


class JsonFormatter(logging.Formatter):
    """Formats time, level, service, message, correlation id, and the `extra={"fields": …}`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line of JSON."""
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
    """Return one line of JSON for fields of any type: logging must not raise an error."""
    try:
        return orjson.dumps(line, default=str).decode()
    except (
        TypeError
    ):  # of a lone surrogate, a key that is not text, an integer of more than 64 bits
        return json.dumps(line, default=str, skipkeys=True)


def configure_logging(service: str, level: str = "INFO") -> None:
    """Write all logs of the process to standard error as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def silence_aws_debug_logs() -> None:
    """Keep AWS' clients from logging at DEBUG, where they log secrets and tokens."""
    for library in ("boto3", "botocore"):
        logging.getLogger(library).setLevel(logging.WARNING)
