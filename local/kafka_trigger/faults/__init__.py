"""Fault injection: the faults of networks and groups, on purpose."""
