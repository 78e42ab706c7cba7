"""Settings: read from the environment, from files and from stores of secrets."""
