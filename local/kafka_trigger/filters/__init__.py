"""Filters: which records a function is sent."""
