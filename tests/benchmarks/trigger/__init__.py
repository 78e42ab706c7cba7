"""The Kafka trigger, with a function that does nothing."""
