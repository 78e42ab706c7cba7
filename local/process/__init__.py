"""The modules that long-running tools share: probes, shutdown, substitution of variables."""
