"""Kafka: the client's settings, and publishing from an event loop."""
