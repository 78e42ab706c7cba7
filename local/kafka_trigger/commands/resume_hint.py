"""The commands that continue a replay that ended early."""

import argparse
import shlex
from collections.abc import Iterator, Mapping

from local.kafka_trigger.commands.replay_range import EARLIEST, ReplayRange
from local.kafka_trigger.commands.topic_reader import OffsetRange


class ResumeHint:
    """Keeps what a replay has still to deliver of each partition."""

    def __init__(
        self, options: argparse.Namespace, trigger: str, ranges: Mapping[int, OffsetRange]
    ) -> None:
        self._common = ["python", "-m", "local.kafka_trigger", "replay", str(options.file)]
        self._common += ["--trigger", trigger]
        self._function = ["--function", options.function] if options.function else []
        self._replay_range = ReplayRange(options.start, options.end)
        self._ranges = ranges
        self._remaining = dict(ranges)

    def advance(self, partition: int, offset: int) -> None:
        """Note that all before an offset of a partition is delivered."""
        self._remaining[partition] = OffsetRange(offset, self._ranges[partition].end)

    def finish(self, partition: int) -> None:
        """Note that all of a partition is delivered."""
        del self._remaining[partition]

    def commands(self) -> Iterator[str]:
        """Yield a command for each partition that has records left, in their order."""
        for partition, left in self._remaining.items():
            if left.start < left.end:
                bounds = self._bounds(partition, left)
                words = [*self._common, "--partition", str(partition), *bounds, *self._function]
                yield shlex.join(words)

    def _bounds(self, partition: int, left: OffsetRange) -> list[str]:
        """Return the options for what is left: to the end that the partition had at first."""
        start, end = self._replay_range.start, self._replay_range.end
        has_begun = left.start > self._ranges[partition].start
        is_by_time = start.time_ms is not None and not has_begun
        first = start.text(EARLIEST) if is_by_time else str(left.start)
        last = end.text("") if end.time_ms is not None else str(left.end)
        return ["--from", first, "--to", last]
