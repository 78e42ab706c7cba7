"""Consuming: polling, partitions, back pressure and offsets."""
