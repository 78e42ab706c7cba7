"""What keeps concurrent calls few and in order."""
