"""What long-running tools share: probes, shutdown, substitution of variables."""
