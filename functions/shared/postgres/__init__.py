"""Postgres: connections, the pool, and the table of highlights."""
