"""The settings of ingest-event."""

from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from functions.shared.settings.load import AccessSettings, EventSettings, KafkaSettings


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be as https://example.org/api")
    return url.rstrip("/")


class IngestEventSettings(KafkaSettings, AccessSettings, EventSettings):
    """The broker, the events and callers that it accepts, and the addresses of other services."""

    gateway_address: str = "127.0.0.1"
    highlights_url: Annotated[str, AfterValidator(_base_url)] | None = None

    @model_validator(mode="after")
    def _require_keys_if_public(self) -> Self:
        if not self.api_keys and not is_loopback(self.gateway_address):
            raise ValueError(
                "API_KEYS is missing: with GATEWAY_ADDRESS other than 127.0.0.1 anybody who"
                " reaches this machine could send events"
            )
        return self


def is_loopback(address: str) -> bool:
    """Return whether an address is reached from this machine alone; False if that is unknown."""
    try:
        return address.lower() == "localhost" or ip_address(address).is_loopback
    except ValueError:
        return False
