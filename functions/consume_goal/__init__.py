"""consume-goal: match events from the topic into the table highlights."""
