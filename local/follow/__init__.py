"""Follows the highlights: prints each change as it happens, reconnects, and misses none."""
