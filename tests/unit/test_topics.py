"""The topics, as they are asked for."""

from typing import Any, cast

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from functions.shared.contract.topics import DEAD_LETTERS, HIGHLIGHTS_PENDING, MATCH_EVENTS
from infra.topics import create


class FakeAdmin:
    """Makes every topic, and notes how."""

    def __init__(self) -> None:
        self.asked: dict[str, NewTopic] = {}

    def create_topics(self, topics: list[NewTopic], **_: Any) -> dict[str, Any]:
        """Make topics."""
        self.asked = {each.topic: each for each in topics}
        return dict.fromkeys(self.asked, self)

    def result(self) -> None:
        """It is made."""


@pytest.mark.parametrize(("replication", "in_sync"), [(1, None), (2, None), (3, "2"), (5, "2")])
def test_what_is_acknowledged_is_on_two_nodes_where_one_may_be_away(
    replication: int, in_sync: str | None
) -> None:
    """A broker's own default is one: then a node that dies may take what was acknowledged along."""
    admin = FakeAdmin()
    created = create(cast(AdminClient, admin), replication)
    assert set(created) == {MATCH_EVENTS, HIGHLIGHTS_PENDING, DEAD_LETTERS}
    for topic in admin.asked.values():
        assert topic.replication_factor == replication
        assert topic.config
        assert topic.config.get("min.insync.replicas") == in_sync
