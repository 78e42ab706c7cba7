"""The contract: what an event and a highlight say, and the names of the topics."""
