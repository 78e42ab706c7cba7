"""ingest-event: match events over HTTP onto the topic match-events."""
