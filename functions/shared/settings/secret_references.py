"""References to secrets that are stored elsewhere, in place of a setting's value.

`aws-secretsmanager:NAME_OR_ARN` and `aws-ssm:NAME_OR_ARN` are references; with `#key` at the end
they mean one value of a JSON object. A secret is fetched once a process, however many settings
refer to it or to keys of it, and again only when its value was refused.
"""

import json
import re
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from functions.shared.settings.errors import SecretError

PREFIXES = ("aws-secretsmanager:", "aws-ssm:")
REFERENCE = re.compile(r"aws-(secretsmanager|ssm):([^#\s]+)(?:#(.+))?")

REFRESH_AFTER_S = 3.0  # a secret that stays wrong must not flood its store with requests
MAX_KEYS_LISTED = 20

Fetch = Callable[[str, str], str]


class _Fetched(NamedTuple):
    text: str
    at: float


class Secrets:
    """Resolves references, and keeps what it fetched.

    `fetch` is called with a service (`secretsmanager` or `ssm`) and a name; it returns the text of
    the secret, or raises SecretError.
    """

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._fetched: dict[tuple[str, str], _Fetched] = {}

    def resolve(self, value: str, *, refresh: bool = False) -> str:
        """Return the secret that `value` refers to, or `value` itself if it is no reference.

        With `refresh` the secret is fetched again, unless that was done a few seconds ago.

        Raises:
            SecretError: it cannot be fetched, or is not of the expected form.
        """
        if not is_reference(value):
            return value
        match = REFERENCE.fullmatch(value.strip())
        if match is None:
            raise SecretError("a reference is aws-secretsmanager:NAME or aws-ssm:NAME, and #KEY")
        service, name, key = match.groups()
        text = self._text(service, name, refresh=refresh)
        secret = (text if key is None else _value_of(text, key)).strip()
        if not secret:
            raise SecretError("it is empty")
        return secret

    def _text(self, service: str, name: str, *, refresh: bool) -> str:
        with self._lock:  # others wait while it is fetched
            known = self._fetched.get((service, name))
            now = self._clock()
            if known and not (refresh and now - known.at >= REFRESH_AFTER_S):
                return known.text
            if known:  # a fetch that fails counts as one
                self._fetched[service, name] = _Fetched(known.text, now)
            text = self._fetch(service, name)
            self._fetched[service, name] = _Fetched(text, now)
            return text


def is_reference(value: str) -> bool:
    """Return whether a value refers to a secret that is stored elsewhere."""
    return value.lstrip().startswith(PREFIXES)


def _value_of(text: str, key: str) -> str:
    try:
        values = json.loads(text)
    except ValueError:  # its own message would quote the text
        raise SecretError(f"it is not JSON, so it has no key {key!r}") from None
    if not isinstance(values, dict):
        raise SecretError(f"it is no JSON object, so it has no key {key!r}")
    if key not in values:
        raise SecretError(f"it has no key {key!r}, but {_listed(sorted(values))}")
    value = values[key]
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return json.dumps(value)
    raise SecretError(f"its {key!r} is neither text nor a number")


def _listed(keys: list[str]) -> str:
    more = ", …" if len(keys) > MAX_KEYS_LISTED else ""
    return ", ".join(repr(key[:64]) for key in keys[:MAX_KEYS_LISTED]) + more or "none at all"


def _fetch(service: str, name: str) -> str:
    # Imported only where a setting refers to AWS: it takes a third of a second.
    try:
        from functions.shared.settings.aws_secrets import fetch
    except ImportError:
        raise SecretError("boto3 is not installed; infra/aws/requirements.txt has it") from None
    return fetch(service, name)


process_secrets = Secrets(_fetch)
