"""Records that consume-goal cannot decode, as the trigger sends them."""

from typing import get_args

import pytest

from local.kafka_trigger.envelopes.encoder import SINGLE_RECORD, Envelope
from tests.support.builders.deliveries import Functions, goal_record, post, request_of
from tests.support.builders.events import identified

UNREADABLE = {
    b"\xef\xbb\xbf" + identified().to_json(): "begins with a byte order mark (UTF-8)",
    b"poison": "is no JSON: unexpected character, expected a JSON value at line 1 column 1",
    b"\xff": "is not UTF-8: byte 0xff at offset 0",
    b"": "is empty",
    b"[]": "is JSON, but no object",
    b"null": "is JSON, but no object",
}


@pytest.mark.parametrize("value", UNREADABLE)
@pytest.mark.parametrize("kind", get_args(Envelope))
def test_a_record_that_cannot_be_decoded_is_rejected_with_a_reason(
    kind: Envelope, value: bytes
) -> None:
    """In every envelope; the reason is in its dead letter."""
    response = post(Functions().consume_goal, request_of(kind, goal_record(value=value)))
    if kind in SINGLE_RECORD:
        assert response.status_code == 422
        reason = response.json()["detail"]
    else:
        [failure] = response.json()["batchItemFailures"]
        assert failure["retryable"] is False
        reason = failure["reason"]
    assert UNREADABLE[value] in reason
