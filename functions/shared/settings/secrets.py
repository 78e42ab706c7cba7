"""Secrets that a setting refers to instead of saying them.

`aws-secretsmanager:NAME_OR_ARN` and `aws-ssm:NAME_OR_ARN` are references; with `#key` at the end
they mean one value of a JSON object. A secret is fetched once a process, however many settings
refer to it or to keys of it, and anew only when somebody says that what it was is refused.
"""

import json
import os
import re
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PREFIXES = ("aws-secretsmanager:", "aws-ssm:")
REFERENCE = re.compile(r"aws-(secretsmanager|ssm):([^#\s]+)(?:#(.+))?")

RENEW_AFTER_S = 3.0  # so that a secret that stays wrong does not hammer who keeps it
KEYS_TOLD = 20

Fetch = Callable[[str, str], str]


class SecretError(ValueError):
    """A secret that cannot be had; the message says why, and nothing of what it holds."""


class _Fetched(NamedTuple):
    text: str
    at: float


class Secrets:
    """What references mean; `fetch` gets a service and a name, and raises SecretError."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._fetched: dict[tuple[str, str], _Fetched] = {}

    def reveal(self, value: str, *, anew: bool = False) -> str:
        """What `value` refers to, or itself if it is no reference.

        `anew` asks for it as it is now, unless it was asked for a few seconds ago.
        Raises SecretError.
        """
        if not is_reference(value):
            return value
        match = REFERENCE.fullmatch(value.strip())
        if match is None:
            raise SecretError("a reference is aws-secretsmanager:NAME or aws-ssm:NAME, and #KEY")
        service, name, key = match.groups()
        text = self._text(service, name, anew=anew)
        found = (text if key is None else _value_of(text, key)).strip()
        if not found:
            raise SecretError("it is empty")
        return found

    def _text(self, service: str, name: str, *, anew: bool) -> str:
        with self._lock:  # who comes while it is fetched waits for it
            known = self._fetched.get((service, name))
            now = self._clock()
            if known and not (anew and now - known.at >= RENEW_AFTER_S):
                return known.text
            if known:  # a fetch that fails counts as one
                self._fetched[service, name] = _Fetched(known.text, now)
            text = self._fetch(service, name)
            self._fetched[service, name] = _Fetched(text, now)
            return text


def read_file(path: str) -> str:
    """The secret that a file holds, without the white space around it.

    Raises ValueError with why it cannot be read; the path may be a secret in the wrong place.
    """
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    except OSError as error:
        whose = _whose(path) if isinstance(error, PermissionError) else ""
        raise ValueError(f"{error.strerror}{whose}") from None


def _whose(path: str) -> str:
    """Who may read a file, and who we are."""
    try:
        found = Path(path).stat()
    except OSError:
        return f": user {os.geteuid()} may not pass through a folder above it"
    mode = stat.S_IMODE(found.st_mode)
    return f": its mode is {mode:o}, its owner user {found.st_uid}, and this is user {os.geteuid()}"


def is_reference(value: str) -> bool:
    """Whether a value means a secret that is kept elsewhere."""
    return value.lstrip().startswith(PREFIXES)


def _value_of(text: str, key: str) -> str:
    try:
        values = json.loads(text)
    except ValueError:  # its own message would quote the text
        raise SecretError(f"it is not JSON, so it has no key {key!r}") from None
    if not isinstance(values, dict):
        raise SecretError(f"it is no JSON object, so it has no key {key!r}")
    if key not in values:
        raise SecretError(f"it has no key {key!r}, but {_told(sorted(values))}")
    value = values[key]
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return json.dumps(value)
    raise SecretError(f"its {key!r} is neither text nor a number")


def _told(keys: list[str]) -> str:
    more = ", …" if len(keys) > KEYS_TOLD else ""
    return ", ".join(repr(key[:64]) for key in keys[:KEYS_TOLD]) + more or "none at all"


def _fetch(service: str, name: str) -> str:
    # Imported when a setting refers to AWS, and not before: it costs a third of a second.
    try:
        from functions.shared.settings.aws_secrets import fetch
    except ImportError:
        raise SecretError("boto3 is not installed; infra/aws/requirements.txt has it") from None
    return fetch(service, name)


process_secrets = Secrets(_fetch)
