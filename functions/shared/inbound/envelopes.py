"""The envelopes in which records reach a function over HTTP, and how it names those that failed."""

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
    binary,
    is_binary,
    of_batch,
    structured,
)
from functions.shared.inbound.lambda_event import is_lambda_event, lambda_records, of_lambda_records
from functions.shared.inbound.received_record import ReceivedRecord, RejectedRecord

JSON = "application/json"
RECORD_LIMIT = 10_000  # the most that AWS Lambda's mappings and our trigger put into a batch
FAILURES_TOLD = 50


def open_envelope(headers: Headers, body: bytes) -> list[ReceivedRecord]:
    """The records of a request: CloudEvents, a batch or one, or AWS Lambda's Kafka event.

    Raises:
        UnreadableInput: it is not JSON, or not of the kind that it claims to be.
        TooLarge: it holds more than RECORD_LIMIT records.
        UnsupportedFormat: it is no envelope.
    """
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == BATCH:
        return of_batch(_counted(_parsed(body, list)))
    if media_type == STRUCTURED:
        return [structured(headers, _parsed(body, dict))]
    if is_binary(headers):
        return [binary(headers, body)]
    if media_type == JSON and is_lambda_event(event := _parsed(body, object)):
        return of_lambda_records(_counted(lambda_records(event)))
    raise UnsupportedFormat(
        f"Send CloudEvents ({BATCH}, {STRUCTURED}, or ce- headers), or AWS Lambda's Kafka event.",
    )


def failures_answer(failures: list[RejectedRecord]) -> dict[str, Any]:
    """Partial failures, as AWS Lambda's triggers read them, and why there is no use in a retry.

    Raises:
        RecordsRejected: a record that failed came alone, or without a name to call it by.
    """
    if any(failure.delivery.identifier is None for failure in failures):
        raise RecordsRejected("; ".join(failure.reason for failure in failures[:FAILURES_TOLD]))
    return {
        "batchItemFailures": [
            {
                "itemIdentifier": failure.delivery.identifier,
                "retryable": False,
                "reason": failure.reason,
            }
            for failure in failures
        ]
    }


def _counted(records: list[Any]) -> list[Any]:
    if len(records) > RECORD_LIMIT:
        raise TooLarge(f"There are more than {RECORD_LIMIT} records in the batch.")
    return records


def _parsed(body: bytes, kind: type) -> Any:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableInput(f"The envelope is no JSON: {error}.") from error
    if not isinstance(parsed, kind):
        raise UnreadableInput("The envelope is no CloudEvent of the kind that it claims to be.")
    return parsed
