"""Replays real matches: posts their goals as a live feed would, and waits for the highlights."""
