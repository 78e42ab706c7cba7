"""What a deployment on AWS Lambda calls before its triggers are on: topics, then migrations."""

import contextlib
import io
from collections.abc import Callable, Sequence

from infra import migrate, topics

STEPS = (topics.main, migrate.main)


class Failed(Exception):
    """A step ended with this message; those after it were not begun."""


def handler(_event: object, _context: object) -> list[str]:
    """Make the topics and the table that are missing; returns what was done, a line a step.

    Safe to call again, and while functions run.
    """
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
