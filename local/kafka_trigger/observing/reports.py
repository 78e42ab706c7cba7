"""What /health, /ready and /status say of triggers."""

import time
from collections.abc import Sequence

from local.kafka_trigger.consuming.partition import Partition
from local.kafka_trigger.delivering.age import age_s
from local.kafka_trigger.observing.trigger_state import TriggerState
from local.process import probes
from local.process.probes import ProbeResult

ALL = "all"  # in the place of a partition: what concerns the topic or the group


def health(watches: Sequence[TriggerState]) -> ProbeResult:
    """Whether every trigger works, or else which one a restart would mend, and why."""
    return probes.health_result("triggers", ((watch.trigger, watch.trouble()) for watch in watches))


def readiness(watches: Sequence[TriggerState], *, is_stopping: bool) -> ProbeResult:
    """Whether every trigger is in its group, with the partitions that it has there.

    It is not while a partition cannot go on; then `blocked` says why.
    """
    blocked = {watch.trigger: _blocked(watch) for watch in watches}
    told = {
        watch.trigger: {
            "member": watch.is_member,
            "partitions": [partition.number for partition in watch.held()],
            "blocked": blocked[watch.trigger],
        }
        for watch in watches
    }
    is_ready = all(watch.is_member for watch in watches) and not any(blocked.values())
    is_ready = is_ready and not is_stopping
    return ProbeResult(is_ready, {"stopping": is_stopping, "triggers": told})


def status(watches: Sequence[TriggerState], now: float | None = None) -> ProbeResult:
    """How the partitions stand that a trigger has; `now` is the time of day."""
    at = time.time() if now is None else now
    told = {
        watch.trigger: {
            "member": watch.is_member,
            "partitions": {str(each.number): _standing(each, watch, at) for each in watch.held()},
            "blocked": _blocked(watch),
        }
        for watch in watches
    }
    return ProbeResult(True, {"triggers": told})


def _blocked(watch: TriggerState) -> dict[str, str]:
    return {ALL if each is None else str(each): why for each, why in watch.blocked().items()}


def _standing(partition: Partition, watch: TriggerState, now: float) -> dict[str, object]:
    oldest = partition.oldest
    return {
        "in_flight": len(partition.in_flight),
        "paused": partition.number in watch.paused,
        "attempts": partition.attempts.count,
        "oldest_age_s": age_s(oldest, now) if oldest is not None else None,
        "blocked": watch.blocked().get(partition.number),
    }
