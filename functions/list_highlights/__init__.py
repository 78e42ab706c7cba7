"""list-highlights: highlights over HTTP, newest first or by change, and matches."""
