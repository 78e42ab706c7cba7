"""What the functions share; nothing here imports a function."""
