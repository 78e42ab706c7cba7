"""The settings of `infra.migrate`."""

import pytest

from functions.shared.settings.errors import SettingsError
from functions.shared.settings.load import load
from infra.migrate import MigrateSettings

URL = {"DATABASE_URL": "postgresql://goalstream@127.0.0.1:5432/goalstream"}


def test_without_passwords_no_roles_are_made() -> None:
    """An empty password counts as none."""
    settings = load(MigrateSettings, URL | {"DATABASE_READER_PASSWORD": ""})
    assert settings.database_reader_password is settings.database_writer_password is None


@pytest.mark.parametrize("name", ["DATABASE_READER_PASSWORD", "DATABASE_WRITER_PASSWORD"])
def test_a_password_that_scram_forbids_is_refused(name: str) -> None:
    """The message does not quote it."""
    with pytest.raises(SettingsError) as error:
        load(MigrateSettings, URL | {name: "canary\a\ue000"})
    message = str(error.value)
    assert (
        message
        == f"cannot start: {name} is wrong: it has a character that is not allowed in a password"
    )
