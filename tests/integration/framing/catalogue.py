"""The catalogue of all inputs."""

from collections.abc import Iterator

from tests.integration.framing import bodies, early, headers
from tests.integration.framing.inputs import Input, Maker
from tests.integration.framing.targets import Target

GROUPS = (
    bodies.well_formed,
    bodies.chunks,
    bodies.trailers,
    bodies.expectations,
    headers.lengths,
    headers.encodings,
    headers.heads,
    early.early_answers,
)


def inputs(target: Target) -> Iterator[Input]:
    """Return all inputs for a target."""
    for group in GROUPS:
        yield from group(Maker(target))
