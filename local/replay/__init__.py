"""Replays real matches: posts their goals as a live feed would and reads the highlights back."""
