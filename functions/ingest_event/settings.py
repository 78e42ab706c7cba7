"""The settings of ingest-event."""

from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from functions.shared.http.settings import AccessSettings
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.settings.events import EventSettings
from functions.shared.settings.urls import check_base_url


class IngestEventSettings(KafkaSettings, AccessSettings, EventSettings):
    """The broker, the events and callers that it accepts, and the addresses of other services."""

    gateway_address: str = "127.0.0.1"
    highlights_url: Annotated[str, AfterValidator(check_base_url)] | None = None

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
