"""A set of numbers that takes a bit for each that it could have."""


class BitSet:
    """Whole numbers from 0 to below `size`."""

    def __init__(self, size: int) -> None:
        self._bytes = bytearray((size + 7) // 8)

    def add(self, number: int) -> None:
        """Add a number."""
        self._bytes[number >> 3] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        return bool(self._bytes[number >> 3] & 1 << (number & 7))
