"""The envelopes in which functions receive records over HTTP, and the response to a batch."""

from typing import Any

import orjson
from starlette.datastructures import Headers

from functions.shared.errors import (
    RecordsRejected,
    TooLarge,
    UnreadableInput,
    UnsupportedFormat,
)
from functions.shared.inbound.cloudevents import (
    BATCH,
    STRUCTURED,
    is_binary,
    parse_batch,
    parse_binary,
    parse_structured,
)
from functions.shared.inbound.lambda_event import is_lambda_event, parse_records, raw_records
from functions.shared.inbound.received_record import ReceivedRecord, RejectedRecord

JSON = "application/json"
MAX_RECORDS = 10_000  # the most that AWS Lambda's mappings and our trigger put into a batch
MAX_REASONS = 50


def parse_envelope(headers: Headers, body: bytes) -> list[ReceivedRecord]:
    """Return the records of a request: of CloudEvents, or of AWS Lambda's Kafka event.

    Raises:
        UnreadableInput: the body is not JSON, or not of the kind that it claims to be.
        TooLarge: it holds more than MAX_RECORDS records.
        UnsupportedFormat: it is not an envelope.
    """
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == BATCH:
        return parse_batch(_limited(_parse_json(body, list)))
    if media_type == STRUCTURED:
        return [parse_structured(headers, _parse_json(body, dict))]
    if is_binary(headers):
        return [parse_binary(headers, body)]
    if media_type == JSON and is_lambda_event(event := _parse_json(body, object)):
        return parse_records(_limited(raw_records(event)))
    raise UnsupportedFormat(
        f"Send CloudEvents ({BATCH}, {STRUCTURED}, or ce- headers), or AWS Lambda's Kafka event.",
    )


def batch_response(rejected: list[RejectedRecord]) -> dict[str, Any]:
    """Return AWS Lambda's partial batch response, which says also why a retry is of no use.

    Raises:
        RecordsRejected: a rejected record has no identifier.
    """
    if any(each.record.identifier is None for each in rejected):
        raise RecordsRejected("; ".join(each.reason for each in rejected[:MAX_REASONS]))
    return {
        "batchItemFailures": [
            {
                "itemIdentifier": each.record.identifier,
                "retryable": False,
                "reason": each.reason,
            }
            for each in rejected
        ]
    }


def _limited(records: list[Any]) -> list[Any]:
    if len(records) > MAX_RECORDS:
        raise TooLarge(f"There are more than {MAX_RECORDS} records in the batch.")
    return records


def _parse_json(body: bytes, kind: type) -> Any:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableInput(f"The envelope is no JSON: {error}.") from error
    if not isinstance(parsed, kind):
        raise UnreadableInput("The envelope is no CloudEvent of the kind that it claims to be.")
    return parsed
