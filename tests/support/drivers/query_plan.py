"""Plans of statements, as Postgres explains them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

REMOVED = "Rows Removed by Filter"

Run = Callable[..., list[list[Any]] | None]


@dataclass(frozen=True)
class QueryPlan:
    """The plan of a statement: its nodes, and if it was executed, the ms that this took."""

    nodes: list[dict[str, Any]]
    ms: float

    @property
    def indexes(self) -> set[str]:
        """The indexes that it reads."""
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    @property
    def kinds(self) -> set[str]:
        """The types of its nodes."""
        return {node["Node Type"] for node in self.nodes}

    @property
    def rows_read(self) -> int:
        """The rows that its scans of tables read, by an index or not, if it was executed."""
        scans = (node for node in self.nodes if "Relation Name" in node)
        return sum(
            round(node["Actual Loops"] * (node["Actual Rows"] + node.get(REMOVED, 0)))
            for node in scans
        )

    @property
    def rows_sorted(self) -> int:
        """The most rows that it sorts at a time, if it was executed."""
        sorts = (node for node in self.nodes if "Sort" in node["Node Type"])
        return max((round(node["Plans"][0]["Actual Rows"]) for node in sorts), default=0)

    @property
    def blocks(self) -> int:
        """The blocks that it read, if it was executed."""
        return int(self.nodes[0]["Shared Hit Blocks"] + self.nodes[0]["Shared Read Blocks"])


def explain(run: Run, statement: str, **values: Any) -> QueryPlan:
    """Return the plan of a statement, which is not executed."""
    return _plan(run(f"EXPLAIN (FORMAT JSON) {statement}", **values))


def execute(run: Run, statement: str, **values: Any) -> QueryPlan:
    """Return the plan of a statement that is executed, with the rows and blocks that it read."""
    return _plan(run(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", **values))


def _plan(rows: list[list[Any]] | None) -> QueryPlan:
    assert rows is not None
    ((explained,),) = rows
    ((plan),) = explained if isinstance(explained, list) else orjson.loads(explained)
    return QueryPlan(list(_nodes(plan["Plan"])), plan.get("Execution Time", 0.0))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
