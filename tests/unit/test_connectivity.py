"""The check that the services which the environment names can be reached."""

import pytest

from local.stack import StackError
from local.stack.connectivity import require_service


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("DATABASE_URL", "postgresql://me:pa/ss@db/goals"),
        ("DATABASE_URL", "postgresql://me:pass@db:port/goals"),
        ("REDIS_URL", "redis://:pass@[::1:6379"),
        ("KAFKA_BOOTSTRAP_SERVERS", "[::1:9092"),
    ],
)
def test_the_error_for_a_wrong_address_does_not_quote_it(variable: str, url: str) -> None:
    """A part of the address that looks like a port may belong to a password."""
    with pytest.raises(StackError) as error:
        require_service(variable, url)
    assert str(error.value) == f"{variable} is set, but is no address"


@pytest.mark.parametrize("host", [f"{'a' * 64}.example", "a..b"])
def test_a_host_with_an_invalid_name_does_not_answer(host: str) -> None:
    """A password with a comma is one password, and not the end of an address."""
    with pytest.raises(StackError, match=f"nothing answers at {host}:5432$"):
        require_service("DATABASE_URL", f"postgresql://me:a,b@{host}/goals")


@pytest.mark.parametrize(
    "url", ["aws-secretsmanager:goals#url", "aws-ssm:/goals", "unix:///r.sock"]
)
def test_references_and_sockets_are_not_checked(url: str) -> None:
    """The functions resolve them at their start."""
    require_service("DATABASE_URL", url)
