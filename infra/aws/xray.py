"""AWS X-Ray's trace header as W3C trace context."""

import os
import re

from functions.shared.observability import trace

ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")


def traceparent_of(header: str) -> str | None:
    """Return the traceparent of `Root=1-…-…;Parent=…;Sampled=…`; None if it has no valid root."""
    fields = dict(field.strip().split("=", 1) for field in header.split(";") if "=" in field)
    root = ROOT.fullmatch(fields.get("Root", ""))
    if root is None:
        return None
    parent = fields.get("Parent") or os.urandom(8).hex()
    flags = "01" if fields.get("Sampled") == "1" else "00"
    traceparent = f"00-{root[1]}{root[2]}-{parent}-{flags}"
    return traceparent if trace.is_valid(traceparent) else None
