"""Environment variables in files."""

import pytest

from functions.shared.settings.errors import SecretError
from functions.shared.settings.secret_references import Secrets
from local.process.substitution import SubstitutionError, substitute


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain $NAME {NAME}", "plain $NAME {NAME}"),
        ("${URL}/a", "http://x/a"),
        ("${URL}${URL}", "http://xhttp://x"),
        ("${NONE:-http://y}/a", "http://y/a"),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("${NONE:-}", ""),
        ("${NONE:-a:-b}", "a:-b"),
    ],
)
def test_references_become_values(text: str, expected: str) -> None:
    """The value of the variable, or the default if that is unset or empty."""
    assert substitute(text, {"URL": "http://x", "EMPTY": ""}) == expected


@pytest.mark.parametrize("value", ["${URL}", "a\\1b", "\\g<0>"])
def test_a_value_is_not_substituted_again(value: str) -> None:
    """Even if it contains a reference."""
    assert substitute("${NAME}", {"NAME": value, "URL": "x"}) == value


@pytest.mark.parametrize("text", ["${NONE}", "a${}", "${1A}", "${A B}", "${:-x}", "${OPEN"])
def test_a_reference_that_cannot_be_replaced_is_an_error_that_quotes_it(text: str) -> None:
    """An unset variable, and a malformed reference."""
    with pytest.raises(SubstitutionError, match=r"NONE|\$\{"):
        substitute(text, {"OPEN": "x"})


def test_a_value_may_be_a_reference_to_a_secret() -> None:
    """As for the functions; an error names the variable."""

    def fetch(service: str, name: str) -> str:
        if name != "db":
            raise SecretError("there is no such secret")
        return f'{{"password": "word of {service}"}}'

    secrets = Secrets(fetch)
    environ = {"PASSWORD": "aws-ssm:db#password", "OTHER": "aws-ssm:none"}
    assert substitute("${PASSWORD}", environ, secrets.resolve) == "word of ssm"
    with pytest.raises(SubstitutionError) as error:
        substitute("${OTHER:-default}", environ, secrets.resolve)
    assert str(error.value) == "OTHER is wrong: aws-ssm:none: there is no such secret"
