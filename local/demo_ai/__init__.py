"""`python -m local.demo_ai`: a small language model writes of a final; see what is refused."""
