"""Fault injection: what a network and a group do to a function, on purpose."""
