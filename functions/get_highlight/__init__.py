"""get-highlight: one highlight over HTTP."""
