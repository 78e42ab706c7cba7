"""Detection of Docker."""

import subprocess


def docker_runs() -> bool:
    """Whether Docker with Compose is installed and its daemon answers."""
    try:
        for command in (["docker", "info"], ["docker", "compose", "version"]):
            subprocess.run(command, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
