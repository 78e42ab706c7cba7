"""The errors of settings and secrets."""


class SettingsError(SystemExit):
    """A variable is missing or wrong: ends the process with a line that names it."""


class SecretError(ValueError):
    """A secret cannot be fetched; the message gives the reason, and nothing of its content."""
