"""The functions on AWS."""
