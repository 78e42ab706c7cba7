"""The answers that are allowed on a connection."""

from collections.abc import Iterator

from tests.integration.framing.answers import Answer, read_answers
from tests.integration.framing.inputs import FIRST, SECOND, SMUGGLED, Input

HALF = "half an answer"


def faults(given: Input, received: bytes) -> list[str]:
    """Return all faults in the answers to an input and the second request behind it."""
    try:
        answers = read_answers(received)
    except ValueError as error:
        return [f"{given.name}: {error}"]
    summary = [(answer.status, answer.marker[-1:], answer.closes) for answer in answers]
    return [f"{given.name}: {fault}: {summary}" for fault in _faults(given, answers)]


def _faults(given: Input, answers: list[Answer]) -> Iterator[str]:
    markers = [answer.marker for answer in answers]
    statuses = [answer.status for answer in answers]
    if SMUGGLED in markers:
        yield "a request within a body was answered"
    if SECOND in markers and (markers.index(SECOND) == 0 or markers[-1] != SECOND):
        yield "the second request was answered out of turn"
    if FIRST in markers[1:] and given.name != "two bodies":
        yield "the first request was answered out of turn"
    if any(answer.closes for answer in answers[:-1]):
        yield "something was answered after the last answer"
    if given.keeps and statuses[1:] != [200]:
        yield "the second request was not answered"
    if given.closes and not (len(answers) == 1 and answers[0].closes):
        yield "the answer is not the connection's last"
    if given.status and statuses[:1] and statuses[0] not in given.status:
        yield f"not {given.status}"
    if given.status and not statuses:
        yield "no answer"
    # The functions' services are not there.
    away = () if given.status else (503,)
    if any(status >= 500 and status not in (*away, 501, 505) for status in statuses):
        yield "a server's error"
    if not all(answer.complete for answer in answers):
        yield HALF
