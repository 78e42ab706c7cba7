"""The queue: claims, attempts, and what becomes of them."""
