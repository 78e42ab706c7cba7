"""Cold starts on Lambda: from the start of a process to its first answer, and import times."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from local.stack import ROOT
from local.stack.services.functions import READERS
from local.stack.stack import Stack
from tests.benchmarks.result import Result, at_most, interleaved
from tests.support.builders.lambda_events import FIRST, http
from tests.support.drivers.lambda_runtime import instance

IMPORTS = {
    "bare Python": "pass",
    "functions_framework.aio": "import functions_framework.aio",
    "awslambdaric": "import awslambdaric.bootstrap",
    "boto3": "import boto3",
    "pydantic": "import functions.shared.settings.load",
    "confluent_kafka": "import confluent_kafka",
    "pg8000": "import pg8000.native",
    "redis": "import redis.asyncio",
}
BARE = {
    "FUNCTION_SOURCE": "tests/benchmarks/bare/main.py",
    "BARE_STATUS": "200",
    "BARE_BODY": "{}",
}
AIM, AIM_OF_READERS = 5.0, 1.5


def cold_start(stack: Stack, rounds: int) -> Iterator[Result]:
    """Milliseconds to each function's first answer, beside those of a bare function.

    The functions have a broker, a database and a cache, to which they connect meanwhile. Of the
    rounds it is the fastest: to start takes what it takes, and the machine's other work on top.
    """
    settings = stack.addresses.settings
    measures = {f"import, {name}": _import_of(code) for name, code in IMPORTS.items()}
    measures["bare"] = _start_of("bare", BARE, http("GET", "/"))
    measures |= {name: _start_of(name, settings, event) for name, event in FIRST.items()}
    measured = interleaved(rounds, *measures.values())
    times = dict(zip(measures, map(min, measured), strict=True))
    bare = times.pop("bare")
    for name, figure in times.items():
        if name in FIRST:
            aim = AIM_OF_READERS if name in READERS else AIM
            yield at_most(f"cold start, {name}", "ms", [figure], [bare], "a bare function", aim)
        else:
            yield Result(name, "", "", f"{figure:.0f} ms", "", True)


def _import_of(code: str) -> Callable[[], float]:
    def measure() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        return (time.perf_counter() - began) * 1000

    return measure


def _start_of(name: str, settings: Mapping[str, str], event: object) -> Callable[[], float]:
    def measure() -> float:
        with TemporaryDirectory() as folder:
            began = time.perf_counter()
            with instance(name, settings, Path(folder) / "log") as runtime:
                runtime.invoke(event)
                return (time.perf_counter() - began) * 1000

    return measure
