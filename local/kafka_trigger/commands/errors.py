"""What ends a command, told in one line."""

from collections.abc import Sequence

from local.kafka_trigger.config.models import Trigger

FAILED, MISUSED, INTERRUPTED = 1, 2, 130


class Problem(Exception):
    """A command cannot go on: the message says why, `status` is its exit status."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


class Misuse(Problem):
    """What was asked for makes no sense, and nothing was done."""

    def __init__(self, message: str) -> None:
        super().__init__(message, MISUSED)


class Interrupted(Problem):
    """Ctrl-C or SIGTERM came."""

    def __init__(self, message: str = "interrupted") -> None:
        super().__init__(message, INTERRUPTED)


def pick(triggers: Sequence[Trigger], name: str | None) -> Trigger:
    """The trigger of a name, or the only one; raises Misuse when that is not clear."""
    found = [each for each in triggers if name in (None, each.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.name for each in triggers)
    if name is None:
        raise Misuse(f"--trigger NAME is needed, since there are several: {names}")
    raise Misuse(f"--trigger {name}: there is none of that name here, but {names}")
