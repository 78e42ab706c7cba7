"""The AsyncAPI 3.0 document of the topics, generated from what publishes and consumes records."""
