"""The errors that end a command, each printed as one line, and the choice of a trigger."""

from collections.abc import Sequence

from local.kafka_trigger.config.models import Trigger

FAILED, USAGE_ERROR, INTERRUPTED = 1, 2, 130


class CommandError(Exception):
    """A command cannot go on: the message says why, `status` is its exit status."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


class UsageError(CommandError):
    """The command was given something that it cannot use, and has done nothing."""

    def __init__(self, message: str) -> None:
        super().__init__(message, USAGE_ERROR)


class Interrupted(CommandError):
    """Ctrl-C or SIGTERM came."""

    def __init__(self, message: str = "interrupted") -> None:
        super().__init__(message, INTERRUPTED)


def choose_trigger(triggers: Sequence[Trigger], name: str | None) -> Trigger:
    """Return the trigger of a name, or the only one; raises UsageError when that is not clear."""
    found = [each for each in triggers if name in (None, each.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.name for each in triggers)
    if name is None:
        raise UsageError(f"--trigger NAME is needed, since there are several: {names}")
    raise UsageError(f"--trigger {name}: there is no such trigger here, but {names}")
