"""The names of the topics."""

MATCH_EVENTS = "match-events"
HIGHLIGHTS_PENDING = "highlights-pending"
DEAD_LETTERS = "match-events.dlq"
