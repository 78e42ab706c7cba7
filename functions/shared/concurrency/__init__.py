"""Merging, batching, limiting and awaiting concurrent calls."""
