"""The trigger's command line, and what its page says of it."""

import argparse
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.kafka_trigger.cli import COMMANDS, main
from local.kafka_trigger.commands.arguments import parser
from local.kafka_trigger.faults.faulty_transport import KINDS

PACKAGE = Path(__file__).parents[2] / "local" / "kafka_trigger"
PAGE = (PACKAGE / "COMMANDS.md").read_text()


def subcommands(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a parser, by their names."""
    return {
        name: made
        for action in of._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, made in action.choices.items()
    }


def options(of: argparse.ArgumentParser) -> Iterator[str]:
    """The long options of a command, and of its own commands."""
    for action in of._actions:
        yield from (each for each in action.option_strings if each.startswith("--"))
    for made in subcommands(of).values():
        yield from options(made)


def sections() -> dict[str, str]:
    """The page's text on each command."""
    parts = re.split(r"^## `(\w+)`.*$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_its_section_and_is_there() -> None:
    """In the page, in the parser, and in what is done."""
    assert list(sections()) == list(subcommands(parser())) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_the_section_and_each_has_an_example(name: str) -> None:
    """And none is there that the command does not take."""
    section, made = sections()[name], subcommands(parser())[name]
    words = set(re.findall(r"--[a-z][a-z-]*", section))
    assert words == set(options(made)) - {"--help"}
    assert f"python -m local.kafka_trigger {name} " in section
    for action in subcommands(made):
        assert f"kafka_trigger {name} triggers.toml {action}" in section


def test_every_kind_of_fault_is_in_the_table() -> None:
    """With what it does."""
    assert set(re.findall(r"^\| `([a-z-]+):RATE`", PAGE, re.MULTILINE)) == set(KINDS)


def test_every_path_of_the_page_is_there() -> None:
    """The samples, for one."""
    paths = set(re.findall(r"local/[\w/.-]*\w", PAGE))
    assert paths
    assert all((PACKAGE.parents[1] / path).exists() for path in paths)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_is_not_there_is_told_in_a_line(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By every command, with exit status 2."""
    more = {"dlq": ["list"], "replay": ["--from", "earliest"], "invoke": ["event.json"]}
    status = main(threading.Event(), [name, "no.toml", *more.get(name, [])])
    assert (status, capsys.readouterr().err) == (2, "no.toml: No such file or directory\n")


def test_check_says_what_each_trigger_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From where to where, in which batches and envelope, and what becomes of the rest."""
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
def test_help_is_for_people(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every option is explained."""
    with pytest.raises(SystemExit):
        main(threading.Event(), [*filter(None, [name]), "--help"])
    assert "exit status" in capsys.readouterr().out if not name else True
    made = subcommands(parser())[name] if name else parser()
    assert all(action.help for action in made._actions if action.option_strings)
