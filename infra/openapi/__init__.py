"""The OpenAPI 3.1 documents of the public functions, made of their models."""
