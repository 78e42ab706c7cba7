"""The users by which a stack's functions log in to its services."""

import pytest

from infra.roles import READER, WRITER
from local.stack.addresses import FREE_PORTS, choose
from local.stack.services import functions

EXTERNAL = {
    "DATABASE_URL": "postgresql://me@db.example:5432/goals",
    "REDIS_URL": "redis://cache.example:6379/0",
}


@pytest.mark.parametrize("function", functions.NAMES)
def test_functions_use_their_role_on_an_embedded_postgres(function: str) -> None:
    """The migrations, which create the roles, run as the owner."""
    addresses = choose(FREE_PORTS, {})
    role = READER if function in functions.READERS else WRITER
    assert addresses.function_settings(function) == {
        "DATABASE_URL": f"postgresql://{role}:{role}@127.0.0.1:{addresses.postgres.port}/postgres",
        "REDIS_URL": f"redis://goalstream:goalstream@127.0.0.1:{addresses.redis.port}/0",
    }
    assert addresses.migration_settings == {
        "DATABASE_READER_PASSWORD": READER,
        "DATABASE_WRITER_PASSWORD": WRITER,
    }
    assert addresses.settings["DATABASE_URL"].startswith("postgresql://goalstream:")


def test_services_that_the_environment_names_are_used_unchanged() -> None:
    """No role with a known password is created there."""
    addresses = choose(FREE_PORTS, EXTERNAL)
    assert addresses.function_settings("list_highlights") == {}
    assert addresses.migration_settings == {}
    assert EXTERNAL.items() <= addresses.settings.items()
