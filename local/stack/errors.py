"""What a person can put right."""


class StackError(Exception):
    """The stack cannot start; the message says why, and what to do about it."""
