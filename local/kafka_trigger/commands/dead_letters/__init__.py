"""The `dlq` command: list, show, redrive and discard the dead letters of a trigger."""
