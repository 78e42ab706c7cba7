"""The envelopes in which records reach a function: one module for each form."""
