"""Whether there can be containers."""

import subprocess


def docker_runs() -> bool:
    """Whether there is a Docker with Compose that answers."""
    try:
        for command in (["docker", "info"], ["docker", "compose", "version"]):
            subprocess.run(command, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
