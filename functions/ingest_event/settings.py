"""What ingest-event reads from the environment."""

from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from functions.shared.http.settings import AccessSettings
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.settings.events import EventSettings
from functions.shared.settings.urls import check_base_url


class IngestEventSettings(KafkaSettings, AccessSettings, EventSettings):
    """The broker, which events are taken and whose, and where other services are reached."""

    gateway_address: str = "127.0.0.1"
    highlights_url: Annotated[str, AfterValidator(check_base_url)] | None = None

    @model_validator(mode="after")
    def _closed_to_strangers(self) -> Self:
        if not self.api_keys and not is_loopback(self.gateway_address):
            raise ValueError(
                "API_KEYS is missing: with GATEWAY_ADDRESS other than 127.0.0.1 anybody who"
                " reaches this machine could send events"
            )
        return self


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address; of what is not known, it is not."""
    try:
        return address.lower() == "localhost" or ip_address(address).is_loopback
    except ValueError:
        return False
