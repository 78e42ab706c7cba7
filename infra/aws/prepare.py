"""What a deployment on AWS Lambda calls before its triggers are on: topics, then migrations."""

import contextlib
import io
from collections.abc import Callable, Sequence
from functools import partial

from infra import enrichment, migrate, topics

STEPS = (topics.main, migrate.main)


class Failed(Exception):
    """A step ended with this message; those after it were not begun."""


def handler(event: object, _context: object) -> list[str]:
    """Make the topics and the table that are missing; returns what was done, a line a step.

    Safe to call again, and while functions run. An event `{"enrichment": ["status"]}` has the
    command `python -m infra.enrichment` run with these arguments instead.
    """
    if isinstance(event, dict) and "enrichment" in event:
        arguments = [str(argument) for argument in event["enrichment"]]
        return prepare([partial(enrichment.main, arguments)])
    return prepare(STEPS)


def prepare(steps: Sequence[Callable[[], None]]) -> list[str]:
    """Run commands of ours one after the other; returns what each says.

    Raises:
        Failed: a command exits. Lambda would take an exit for a crash, and say nothing of why.
    """
    said = []
    for step in steps:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            try:
                step()
            except SystemExit as end:
                raise Failed(str(end)) from None
        said.append(output.getvalue().strip())
    return said
