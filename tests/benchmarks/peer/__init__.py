"""What a user would write instead, for a virtual environment of its own: `make bench` makes it."""
