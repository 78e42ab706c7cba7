"""Records that functions receive over HTTP, and the envelopes that they come in."""
