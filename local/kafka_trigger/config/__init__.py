"""The triggers' file, read into its models."""
