"""Prepares a deployment on AWS Lambda, before its triggers are enabled: topics, migrations."""

import contextlib
import io
from collections.abc import Callable, Sequence
from functools import partial

from infra import enrichment, migrate, topics

STEPS = (topics.main, migrate.main)


class StepFailed(Exception):
    """A step ended with this message; later steps were not begun."""


def handler(event: object, _context: object) -> list[str]:
    """Make the topics and tables that are missing; return the output of each step.

    Safe to call again, and while functions run. An event `{"enrichment": ["status"]}` runs the
    command `python -m infra.enrichment` with these arguments instead.
    """
    if isinstance(event, dict) and "enrichment" in event:
        arguments = [str(argument) for argument in event["enrichment"]]
        return prepare([partial(enrichment.main, arguments)])
    return prepare(STEPS)


def prepare(steps: Sequence[Callable[[], None]]) -> list[str]:
    """Run commands one after the other; return the output of each.

    Raises:
        StepFailed: a command exits, which Lambda would report as a crash without its message.
    """
    outputs = []
    for step in steps:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            try:
                step()
            except SystemExit as error:
                raise StepFailed(str(error)) from None
        outputs.append(output.getvalue().strip())
    return outputs
