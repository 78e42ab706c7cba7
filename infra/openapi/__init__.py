"""The OpenAPI 3.1 documents of the public functions, generated from their models."""
