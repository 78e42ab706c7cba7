"""Servers under the same load, in turns: requests a second, and processor time of a request."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from local.supervisor import Process
from tests.benchmarks.load import Load
from tests.benchmarks.process_tree import cpu_s
from tests.benchmarks.result import Result, at_least, at_most, interleaved
from tests.benchmarks.servers import Server

SECONDS = 2.0
IDLE_US = 1.0  # a request: what services use that nobody asks
LOAD_LIMIT = 0.9  # of a processor: one that has more to do measures itself


class Sample(NamedTuple):
    """One run of a load: answers a second, their median delay, and the µs that each took.

    `cpu_us` is the server's, `services_us` that of the services behind it; `load` is the part of a
    processor that the load itself used.
    """

    rate: float
    latency_ms: float
    cpu_us: float
    services_us: float
    load: float


class Aims(NamedTuple):
    """The aims as ratios to a peer: least requests a second, and most processor time."""

    rate: float | None = None
    cpu: float | None = None


NO_AIMS: Mapping[str, Aims] = {}


@dataclass(frozen=True)
class Comparison:
    """Our server and its peers, by name, all with the same requests.

    `services` are the processes behind them, if they run here, which `behind` names.
    """

    what: str
    ours: Server
    peers: Mapping[str, Server]
    targets: Sequence[str]
    body: str = ""
    services: Sequence[Process] = ()
    behind: str = ""

    def results(
        self, rounds: int, connections: int, aims: Mapping[str, Aims] = NO_AIMS
    ) -> Iterator[Result]:
        """Return our results relative to each peer; `aims` may have some of the peers."""
        ours, *peers = self.samples(rounds, connections)
        rate, _, cpu, services, load = zip(*ours, strict=True)
        what = f"{self.what}, {connections} connections"
        busiest = max(load)
        for name, samples in zip(self.peers, peers, strict=True):
            its_rate, _, its_cpu, its_services, its_load = zip(*samples, strict=True)
            aim = aims.get(name, Aims())
            yield at_least(what, "requests/s", rate, its_rate, name, aim.rate)
            yield at_most(f"{what}: CPU", "µs", cpu, its_cpu, name, aim.cpu)
            if min(its_services) > IDLE_US:
                yield at_most(f"{what}: CPU, {self.behind}", "µs", services, its_services, name)
            busiest = max(busiest, *its_load)
        yield Result(
            f"{what}: CPU of the load, at its busiest",
            "",
            "",
            f"{busiest:.0%} of one",
            f"≤ {LOAD_LIMIT:.0%}",
            busiest <= LOAD_LIMIT,
        )

    def samples(self, rounds: int, connections: int) -> list[list[Sample]]:
        """Return the samples of ours and of each peer, one a round, in turn."""
        servers = (self.ours, *self.peers.values())
        return interleaved(rounds, *(partial(self._sample, each, connections) for each in servers))

    def _sample(self, server: Server, connections: int) -> Sample:
        load = Load(server.url, self.targets, connections, SECONDS, self.body)
        cpu_before, services_before = cpu_s(server.process), self._services_s()
        outcome = load.run()
        cpu, services = cpu_s(server.process) - cpu_before, self._services_s() - services_before
        a_request = 1e6 / outcome.requests
        return Sample(
            outcome.rate, outcome.latency_ms, cpu * a_request, services * a_request, outcome.busy
        )

    def _services_s(self) -> float:
        return sum(map(cpu_s, self.services))
