"""enrich-batch: PENDING_AI highlights get their title and summary."""
