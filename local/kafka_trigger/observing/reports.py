"""The contents of /health, /ready and /status."""

import time
from collections.abc import Sequence

from local.kafka_trigger.consuming.partition_worker import PartitionWorker
from local.kafka_trigger.consuming.trigger_state import TriggerState
from local.kafka_trigger.record import age_s
from local.process import probes
from local.process.probes import ProbeResult

ALL = "all"  # instead of a partition, for errors of the topic or the group


def health(states: Sequence[TriggerState]) -> ProbeResult:
    """Report whether all triggers work, or which of them a restart would mend, and why."""
    return probes.health_result(
        "triggers", ((each.trigger, each.health_problem()) for each in states)
    )


def readiness(states: Sequence[TriggerState], *, is_stopping: bool) -> ProbeResult:
    """Report whether all triggers are in their groups, and their partitions.

    They are not ready while a partition cannot go on; then `blocked` says why.
    """
    blocked = {state.trigger: _blocked(state) for state in states}
    triggers = {
        state.trigger: {
            "member": state.is_member,
            "partitions": [worker.partition for worker in state.sorted_workers()],
            "blocked": blocked[state.trigger],
        }
        for state in states
    }
    is_ready = all(state.is_member for state in states) and not any(blocked.values())
    is_ready = is_ready and not is_stopping
    return ProbeResult(is_ready, {"stopping": is_stopping, "triggers": triggers})


def status(states: Sequence[TriggerState], now: float | None = None) -> ProbeResult:
    """Report the status of the triggers' partitions; `now` is the Unix time."""
    seconds = time.time() if now is None else now
    triggers = {
        state.trigger: {
            "member": state.is_member,
            "partitions": {
                str(worker.partition): _partition_status(worker, state, seconds)
                for worker in state.sorted_workers()
            },
            "blocked": _blocked(state),
        }
        for state in states
    }
    return ProbeResult(True, {"triggers": triggers})


def _blocked(state: TriggerState) -> dict[str, str]:
    return {ALL if each is None else str(each): why for each, why in state.blocked().items()}


def _partition_status(
    worker: PartitionWorker, state: TriggerState, now: float
) -> dict[str, object]:
    oldest = worker.oldest
    return {
        "in_flight": len(worker.in_flight),
        "paused": worker.partition in state.paused,
        "attempts": worker.status.attempts,
        "oldest_age_s": age_s(oldest, now) if oldest is not None else None,
        "blocked": state.blocked().get(worker.partition),
    }
