"""The base of all settings, and the types that their fields share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints

from functions.shared.settings.secret_references import Secrets, process_secrets

Seconds = Annotated[float, Field(gt=0, le=3600)]
LogLevel = Annotated[str, StringConstraints(pattern="^(DEBUG|INFO|WARNING|ERROR)$")]


class Settings(BaseModel):
    """The settings of every process; a field is read from the variable of its name in capitals."""

    model_config = ConfigDict(
        alias_generator=str.upper,
        defer_build=True,
        extra="ignore",
        frozen=True,
        str_strip_whitespace=True,
    )

    log_level: LogLevel = "INFO"

    # The variables that were set, as they were, for `reload_if_changed`; a repr does not show them.
    _environ: dict[str, str] = PrivateAttr(default_factory=dict)
    _secrets: Secrets = PrivateAttr(default_factory=lambda: process_secrets)
