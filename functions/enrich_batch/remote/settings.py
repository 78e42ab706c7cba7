"""The settings of the enrichers that ask an endpoint."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from functions.shared.settings.base import Seconds, Settings
from functions.shared.settings.urls import check_base_url


def _check_url(url: str) -> str:
    """Return the URL of an endpoint; its query may hold a key, so an error shows no part of it."""
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        port_is_valid = False
    if not port_is_valid or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be as https://example.org/enrich")
    if parts.username or parts.password:
        raise ValueError("must hold no user or password: its key belongs in a variable of its own")
    return url


def _check_key(key: SecretStr) -> SecretStr:
    """Return the key if it fits into a header."""
    value = key.get_secret_value()
    if not (value.isascii() and value.isprintable()):
        raise ValueError("must be printable ASCII on one line")
    return key


Key = Annotated[SecretStr, AfterValidator(_check_key)]


class EnricherSettings(Settings):
    """The enricher, the endpoint that it asks, and how long it waits for a whole answer."""

    enricher: Literal["template", "http", "openai"] = "template"
    enricher_url: Annotated[str, AfterValidator(_check_url)] | None = Field(None, repr=False)
    enricher_api_key: Key | None = None
    enricher_timeout_s: Seconds = 8.0
    enricher_sends_description: bool = False
    openai_base_url: Annotated[str, AfterValidator(check_base_url), AfterValidator(_check_url)] = (
        "https://api.openai.com/v1"
    )
    openai_api_key: Key | None = None
    openai_model: Annotated[str, StringConstraints(pattern="^[!-~]{1,100}$")] | None = None
    openai_temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    openai_max_tokens: Annotated[int, Field(ge=1, le=100_000)] | None = None

    @model_validator(mode="after")
    def _variables_fit_together(self) -> Self:
        if errors := "; ".join(_missing(self)):
            raise ValueError(errors)
        return self


def _missing(settings: EnricherSettings) -> Iterator[str]:
    if settings.enricher == "http" and settings.enricher_url is None:
        yield "ENRICHER_URL is missing: ENRICHER is http"
    if settings.enricher == "openai" and settings.openai_model is None:
        yield "OPENAI_MODEL is missing: ENRICHER is openai"
