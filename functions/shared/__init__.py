"""Code that the functions share; it imports no function."""
