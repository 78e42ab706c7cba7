"""The Kafka clients: settings, credentials, the producer and the watchdog of brokers."""
