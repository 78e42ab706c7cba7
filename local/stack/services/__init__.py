"""The services, the functions and the programs of a stack, each as a command to run."""
