import pytest

from local.follow.arguments import filters, parser

MATCH = "00000000-0000-0000-0000-000000000001"


def test_the_defaults_are_the_latest_highlights_of_the_stack() -> None:
    """Without arguments it follows the stream of 5002, or of the port in the environment."""
    options = parser({}).parse_args([])
    assert options.highlights_url == "http://localhost:5002"
    assert (options.since, options.poll, options.json, filters(options)) == (None, None, False, {})
    moved = parser({"GOALSTREAM_HIGHLIGHTS_PORT": "6002"}).parse_args([])
    assert moved.highlights_url == "http://localhost:6002"


def test_filters_are_parameters_of_the_api() -> None:
    """An id in any spelling of a UUID is sent in the canonical one."""
    given = ["--match", MATCH.replace("-", ""), "--team", "Argentina", "--type", "goal"]
    expected = {"matchId": MATCH, "team": "Argentina", "eventType": "goal"}
    assert filters(parser({}).parse_args(given)) == expected


def test_the_interval_of_polls_may_be_left_out() -> None:
    """It is seconds."""
    assert parser({}).parse_args(["--poll"]).poll == 2
    assert parser({}).parse_args(["--poll", "0.5"]).poll == 0.5


def test_the_key_comes_from_the_environment() -> None:
    """Without one, or with an empty one, none is sent."""
    assert parser({"GOALSTREAM_API_KEY": "a-key\n"}).parse_args([]).api_key == "a-key"
    assert parser({"GOALSTREAM_API_KEY": ""}).parse_args([]).api_key is None


@pytest.mark.parametrize(
    "argument",
    [
        ["--match", "argentina"],
        ["--poll", "0"],
        ["--poll", "often"],
        ["--highlights-url", "localhost:5002"],
    ],
)
def test_a_wrong_argument_is_named(argument: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status is 2 and the message names the argument."""
    with pytest.raises(SystemExit) as stopped:
        parser({}).parse_args(argument)
    assert stopped.value.code == 2
    assert f"argument {argument[0]}" in capsys.readouterr().err
