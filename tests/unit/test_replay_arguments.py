import math

import pytest

from local.replay.arguments import SAMPLE, parser


def test_the_defaults_are_the_sample_and_the_ports_of_the_stack() -> None:
    """Without arguments the sample goes to 5001 and is read from 5002."""
    options = parser({}).parse_args([])
    assert options.file == SAMPLE
    assert options.events_url == "http://localhost:5001"
    assert options.highlights_url == "http://localhost:5002"


def test_the_environment_changes_the_ports() -> None:
    """A stack on other ports is found by the variables that moved it."""
    environ = {"GOALSTREAM_EVENTS_PORT": "6001", "GOALSTREAM_HIGHLIGHTS_PORT": "6002"}
    options = parser(environ).parse_args([])
    assert options.events_url == "http://localhost:6001"
    assert options.highlights_url == "http://localhost:6002"


def test_the_key_comes_from_the_environment() -> None:
    """Without one, or with an empty one, none is sent."""
    assert parser({"GOALSTREAM_API_KEY": "a-key\n"}).parse_args([]).api_key == "a-key"
    assert parser({"GOALSTREAM_API_KEY": ""}).parse_args([]).api_key is None
    assert parser({}).parse_args([]).api_key is None


@pytest.mark.parametrize(
    ("text", "speed"), [("60", 60), ("0.5", 0.5), ("0", math.inf), ("max", math.inf)]
)
def test_a_speed_is_a_number_or_max(text: str, speed: float) -> None:
    """Zero and max mean as fast as answers come."""
    assert parser({}).parse_args(["--speed", text]).speed == speed


@pytest.mark.parametrize(
    "argument",
    [
        ["--speed", "-1"],
        ["--speed", "nan"],
        ["--speed", "fast"],
        ["--times", "0"],
        ["--times", "-1"],
        ["--wait", "long"],
        ["--patience", "-1"],
        ["--shuffle", "x"],
        ["--events-url", "localhost:5001"],
        ["--highlights-url", "http://[::1"],
        ["--list", "--dry-run"],
    ],
)
def test_a_wrong_argument_is_named(argument: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status is 2 and the message names the argument."""
    with pytest.raises(SystemExit) as stopped:
        parser({}).parse_args(argument)
    assert stopped.value.code == 2
    assert f"argument {argument[0]}" in capsys.readouterr().err
