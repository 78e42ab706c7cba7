"""What /health and /ready say of triggers."""

from collections.abc import Sequence

from local.kafka_trigger.watch import Watch
from local.probes import Report


def health(watches: Sequence[Watch]) -> Report:
    """Whether every trigger works, or else which one a restart would mend, and why."""
    troubles = {watch.trigger: watch.trouble() for watch in watches}
    told = {name: trouble or "ok" for name, trouble in troubles.items()}
    return Report(not any(troubles.values()), {"triggers": told})


def readiness(watches: Sequence[Watch], *, is_stopping: bool) -> Report:
    """Whether every trigger is in its group, with the partitions that it has there."""
    told = {
        watch.trigger: {
            "member": watch.is_member,
            "partitions": [partition.number for partition in watch.held()],
        }
        for watch in watches
    }
    is_ready = all(watch.is_member for watch in watches) and not is_stopping
    return Report(is_ready, {"stopping": is_stopping, "triggers": told})
