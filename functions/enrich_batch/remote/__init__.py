"""Enrichers that ask an endpoint of the operator's; its answers are a stranger's."""
