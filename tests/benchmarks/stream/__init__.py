"""Server-sent events to many clients at once."""
