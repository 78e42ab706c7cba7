"""Tools that replace a cloud on one machine."""
