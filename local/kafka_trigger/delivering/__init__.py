"""Delivering: requests to a function, retries and dead letters."""
