"""A highlight as a line of text."""

from functions.shared.contract.event import Event
from functions.shared.contract.highlight import Status
from local.follow.responses import Highlight
from local.kafka_trigger.commands.output import printable
from local.replay.formatting import event_line

WIDTH = max(map(len, Status))


def highlight_line(highlight: Highlight) -> str:
    """Return a highlight as one line: its status, the goal, and title and summary or the reason.

    A later revision than the first is marked as corrected. Control characters are escaped.
    """
    status, revision = highlight["status"], highlight.get("revision")
    mark = " (corrected)" if revision and status != Status.RETRACTED else ""
    line = f"{status:<{WIDTH}} {event_line(Event.model_construct(**highlight))}{mark}"
    return printable("".join([line, *_words(highlight)]))


def _words(highlight: Highlight) -> list[str]:
    if highlight["status"] == Status.READY:
        return [f": {highlight['title']} | {highlight['summary']}"]
    reason = highlight.get("reason")
    return [f": {reason}"] if reason else []
