"""The configuration of the topics."""

from typing import cast

import pytest
from confluent_kafka.admin import AdminClient

from functions.shared.contract.topics import DEAD_LETTERS, HIGHLIGHTS_PENDING, MATCH_EVENTS
from infra.topics import create
from tests.support.fakes.topics import FakeAdmin


@pytest.mark.parametrize(("replication", "in_sync"), [(1, None), (2, None), (3, "2"), (5, "2")])
def test_an_acknowledged_record_is_on_two_brokers_if_there_are_three(
    replication: int, in_sync: str | None
) -> None:
    """With a broker's default of one, a record could be lost with one broker."""
    admin = FakeAdmin()
    created = create(cast(AdminClient, admin), replication)
    assert set(created) == {MATCH_EVENTS, HIGHLIGHTS_PENDING, DEAD_LETTERS}
    for topic in admin.created.values():
        assert topic.replication_factor == replication
        assert topic.config
        assert topic.config.get("min.insync.replicas") == in_sync
