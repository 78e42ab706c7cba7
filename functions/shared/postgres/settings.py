"""The settings of Postgres."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from functions.shared.postgres.url import check_url
from functions.shared.settings.base import Seconds, Settings


class PostgresSettings(Settings):
    """Where the table of highlights is, and how long to wait for it.

    The password is used with a URL that has none.
    """

    database_url: Annotated[
        str, StringConstraints(pattern=r"^postgres(ql)?://"), AfterValidator(check_url)
    ] = Field(repr=False)
    database_password: SecretStr | None = None
    database_pool_size: Annotated[int, Field(ge=1, le=64)] = 4
    database_prepare: bool = True
    database_max_idle_s: Seconds = 60.0
    database_timeout_s: Seconds = 5.0
    database_queue_timeout_s: Seconds = 1.0
