"""`python -m tests.benchmarks [NAME …]`: run all or some benchmarks, and print one table."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from local.stack.stack import Stack, running_stack
from tests.benchmarks import ingest, knative, lists, machine, memory, ready, table
from tests.benchmarks.coldstart import cold_start
from tests.benchmarks.enrich import enrichment
from tests.benchmarks.result import Result
from tests.benchmarks.trigger.backlog import backlog
from tests.benchmarks.trigger.latency import lone_record
from tests.benchmarks.trigger.throughput import throughput

Benchmark = Callable[[Stack, int], Iterator[Result]]

BENCHMARKS: dict[str, Benchmark] = {
    "ready": ready.accepted_to_ready,
    "list": lists.cached_list,
    "uncached": lists.uncached_list,
    "away": lists.without_redis,
    "ingest": ingest.ingest_one,
    "batch": ingest.ingest_batch,
    "table": table.topic_to_table,
    "enrich": enrichment,
    "knative": knative.one_a_request,
    "trigger": throughput,
    "lone": lone_record,
    "backlog": backlog,
    "coldstart": cold_start,
    "memory": memory.over_requests,
}
QUIET = {"LOG_LEVEL": "WARNING"}
BROKER = "KAFKA_BOOTSTRAP_SERVERS"  # measured where it is; tables are emptied, so never another's


def main() -> int:
    """Measure, and print the table; return 0 even if an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (default: 5)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "*"
    console = Console()
    title = f"Medians of interleaved rounds on {machine.description()}"
    broker = {name: value for name, value in os.environ.items() if name == BROKER}
    with (
        TemporaryDirectory() as folder,
        running_stack(Path(folder) / "state", settings=QUIET, environ=broker) as stack,
    ):
        chosen = {name: BENCHMARKS[name] for name in arguments.names or BENCHMARKS}
        console.print(_table(title, _measured(console, stack, chosen, arguments.rounds)))
    return 0


def _measured(
    console: Console, stack: Stack, chosen: dict[str, Benchmark], rounds: int
) -> list[Result]:
    results: list[Result] = []
    for first in (True, False):
        for name, benchmark in chosen.items():
            console.print(f"{name} …", style="dim")
            measured = list(benchmark(stack, 1 if first else rounds))
            results += [] if first else measured
        if first:
            before = memory.resident(stack)
    return [*results, *memory.growth(before, memory.resident(stack))]


def _table(title: str, results: list[Result]) -> Table:
    made = Table(title=title)
    for heading in ("what", "ours", "peer", "figure", "aim", ""):
        made.add_column(heading)
    for result in results:
        verdict = "[green]✓[/]" if result.good else "[red]✗[/]"
        made.add_row(result.what, result.ours, result.peer, result.figure, result.aim, verdict)
    return made


if __name__ == "__main__":
    sys.exit(main())
