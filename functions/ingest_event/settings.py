"""What ingest-event reads from the environment."""

from ipaddress import ip_address
from typing import Self

from pydantic import model_validator

from functions.shared.settings import AccessSettings, KafkaSettings


class IngestEventSettings(KafkaSettings, AccessSettings):
    """The broker, whose events are taken, and the address at which the gateway is reached."""

    gateway_address: str = "127.0.0.1"

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
