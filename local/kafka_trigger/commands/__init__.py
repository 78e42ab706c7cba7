"""The commands beside `run` and `check`: they look at a trigger's records, or move them."""
