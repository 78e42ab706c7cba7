"""The contract: events, highlights, and the names of the topics."""
