"""list-highlights: highlights over HTTP, newest first."""
