"""What stands in for a cloud on one machine."""
