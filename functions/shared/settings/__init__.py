"""Typed settings: reading them from the environment, from files and from stores of secrets."""
