"""The peers that a user would write; `make bench` makes their virtual environment."""
