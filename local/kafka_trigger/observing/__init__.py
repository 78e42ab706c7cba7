"""Observing: the state of triggers, for probes and metrics."""
