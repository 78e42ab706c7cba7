"""Deployment: migrations, topics, OpenAPI documents, and the clouds."""
