"""The trigger's command line, and whether its page documents it."""

import argparse
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.kafka_trigger.cli import COMMANDS, main
from local.kafka_trigger.commands.arguments import make_parser
from local.kafka_trigger.faults.faulty_transport import KINDS

PACKAGE = Path(__file__).parents[2] / "local" / "kafka_trigger"
PAGE = (PACKAGE / "COMMANDS.md").read_text()


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a parser, by their names."""
    return {
        name: command
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, command in action.choices.items()
    }


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The long options of a command, and of its own commands."""
    for action in parser._actions:
        yield from (each for each in action.option_strings if each.startswith("--"))
    for command in subcommands(parser).values():
        yield from options(command)


def sections() -> dict[str, str]:
    """The page's section on each command."""
    parts = re.split(r"^## `(\w+)`.*$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_a_section() -> None:
    """The page, the parser and the program have the same ones."""
    assert list(sections()) == list(subcommands(make_parser())) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_and_every_command_has_an_example(name: str) -> None:
    """And no option is documented that the command does not take."""
    section, command = sections()[name], subcommands(make_parser())[name]
    documented = set(re.findall(r"--[a-z][a-z-]*", section))
    assert documented == set(options(command)) - {"--help"}
    assert f"python -m local.kafka_trigger {name} " in section
    for action in subcommands(command):
        assert f"kafka_trigger {name} triggers.toml {action}" in section


def test_every_kind_of_fault_is_in_the_table() -> None:
    """The table tells what each does."""
    assert set(re.findall(r"^\| `([a-z-]+):RATE`", PAGE, re.MULTILINE)) == set(KINDS)


def test_every_path_in_the_page_exists() -> None:
    """Such as those of the samples."""
    paths = set(re.findall(r"local/[\w/.-]*\w", PAGE))
    assert paths
    assert all((PACKAGE.parents[1] / path).exists() for path in paths)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_missing_file_is_reported_in_one_line(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By every command, with exit status 2."""
    more = {"dlq": ["list"], "replay": ["--from", "earliest"], "invoke": ["event.json"]}
    status = main(threading.Event(), [name, "no.toml", *more.get(name, [])])
    assert (status, capsys.readouterr().err) == (2, "no.toml: No such file or directory\n")


def test_check_describes_each_trigger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its topic and function, batches and envelope, and where dead letters go."""
    file = tmp_path / "triggers.toml"
    file.write_text(
        """
        kafka = { "bootstrap.servers" = "localhost:9092" }
        [[trigger]]
        name = "orders"
        topic = "new-orders"
        group = "billing"
        function = "http://localhost:8080"
        envelope = "lambda"
        auto_offset_reset = "earliest"
        """
    )
    assert main(threading.Event(), ["check", str(file)]) == 0
    assert capsys.readouterr().out == (
        "orders: new-orders -> http://localhost:8080, group billing, "
        "100 records a batch as lambda, dead letters to the log\n"
    )


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_option_has_a_help_text(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And the help of the program has the exit statuses."""
    with pytest.raises(SystemExit):
        main(threading.Event(), [*filter(None, [name]), "--help"])
    assert "exit status" in capsys.readouterr().out if not name else True
    command = subcommands(make_parser())[name] if name else make_parser()
    assert all(action.help for action in command._actions if action.option_strings)
