"""With which commands to go on with a replay that was broken off."""

import argparse
import shlex
from collections.abc import Iterator, Mapping

from local.kafka_trigger.commands.replay_range import EARLIEST, ReplayRange
from local.kafka_trigger.commands.topic_reader import Span


class ResumeHint:
    """Knows what a replay was asked for; `left` are the spans that it has not finished."""

    def __init__(
        self, options: argparse.Namespace, trigger: str, spans: Mapping[int, Span]
    ) -> None:
        self._common = ["python", "-m", "local.kafka_trigger", "replay", str(options.file)]
        self._common += ["--trigger", trigger]
        self._function = ["--function", options.function] if options.function else []
        self._stretch = ReplayRange(options.start, options.end)
        self._spans = spans
        self.left = dict(spans)

    def commands(self) -> Iterator[str]:
        """A command for each partition that has something left, in their order."""
        for number, span in self.left.items():
            if span.start < span.end:
                words = [*self._common, "--partition", str(number), *self._bounds(number, span)]
                yield shlex.join([*words, *self._function])

    def _bounds(self, number: int, span: Span) -> list[str]:
        """From an offset where the replay has begun, and to the end as it was."""
        start, end = self._stretch.start, self._stretch.end
        has_begun = span.start > self._spans[number].start
        by_time = start.time_ms is not None and not has_begun
        first = start.text(EARLIEST) if by_time else str(span.start)
        last = end.text("") if end.time_ms is not None else str(span.end)
        return ["--from", first, "--to", last]
