"""Delivers the records of Kafka topics to functions over HTTP, as a cloud's trigger does."""
