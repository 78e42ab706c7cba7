"""Whether a service that the environment names is there."""

import pytest

from local.stack.connectivity import check
from local.stack.errors import StackError


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("DATABASE_URL", "postgresql://me:pa/ss@db/goals"),
        ("DATABASE_URL", "postgresql://me:pass@db:port/goals"),
        ("REDIS_URL", "redis://:pass@[::1:6379"),
        ("KAFKA_BOOTSTRAP_SERVERS", "[::1:9092"),
    ],
)
def test_what_is_no_address_is_said_without_a_word_of_it(variable: str, url: str) -> None:
    """What looks like a port may be half of a password."""
    with pytest.raises(StackError) as error:
        check(variable, url)
    assert str(error.value) == f"{variable} is set, but is no address"


@pytest.mark.parametrize("host", [f"{'a' * 64}.example", "a..b"])
def test_a_name_that_cannot_be_one_does_not_answer(host: str) -> None:
    """A password with a comma is one password, and not the end of an address."""
    with pytest.raises(StackError, match=f"nothing answers at {host}:5432$"):
        check("DATABASE_URL", f"postgresql://me:a,b@{host}/goals")


@pytest.mark.parametrize(
    "url", ["aws-secretsmanager:goals#url", "aws-ssm:/goals", "unix:///r.sock"]
)
def test_what_is_found_elsewhere_is_left_to_the_functions(url: str) -> None:
    """They resolve it at their start."""
    check("DATABASE_URL", url)
