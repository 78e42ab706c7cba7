"""stream-highlights: changes of highlights as server-sent events."""
