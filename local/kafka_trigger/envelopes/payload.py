"""What is posted to a function."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Payload(NamedTuple):
    """The body of one request, its content type if it has one, and what else is in its head."""

    content_type: str | None
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})
