"""Reads of a table with millions of highlights."""
