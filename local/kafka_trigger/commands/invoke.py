"""`invoke`: call a function once, with sample records in the trigger's envelope."""

import argparse
import threading
import time
from collections.abc import Sequence

from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.errors import (
    FAILED,
    CommandError,
    Interrupted,
    UsageError,
    choose_trigger,
)
from local.kafka_trigger.commands.sample_records import read_samples
from local.kafka_trigger.config.models import Config
from local.kafka_trigger.delivering.classify_response import Outcome, Verdict, classify_response
from local.kafka_trigger.delivering.google_identity import tokens_for
from local.kafka_trigger.delivering.transport import (
    Aborted,
    HttpResponse,
    HttpTransport,
    NoResponse,
    Unreachable,
)
from local.kafka_trigger.envelopes.encoder import SINGLE_RECORD, encoder_for
from local.kafka_trigger.envelopes.payload import Payload
from local.kafka_trigger.record import Record
from local.process.urls import redact_query


def invoke(config: Config, options: argparse.Namespace, stopping: threading.Event) -> int:
    """Post a file's records once; returns the exit status: 0 only if all of them were taken."""
    trigger = choose_trigger(config.triggers, options.trigger)
    records = read_samples(options.event_file, trigger.topic)
    if len({record.partition() for record in records}) > 1:
        raise UsageError(f"{options.event_file}: a request has the records of one partition")
    if len(records) > 1 and trigger.envelope in SINGLE_RECORD:
        raise UsageError(f"{options.event_file}: a {trigger.envelope} envelope holds one record")
    url = options.function or trigger.function
    payload = encoder_for(trigger.envelope, config.kafka.bootstrap_servers)(records)
    content_type = payload.content_type or "no type"
    output.print_line(f"POST {redact_query(url)}: {content_type}, {len(payload.body)} bytes")
    transport = HttpTransport(url, trigger.timeout_s, tokens_for(trigger.auth, url))
    threading.Thread(target=_abort_when_stopping, args=(transport, stopping), daemon=True).start()
    response = _post(transport, payload)
    return _print_outcome(classify_response(response, records), records)


def _abort_when_stopping(transport: HttpTransport, stopping: threading.Event) -> None:
    stopping.wait()
    transport.abort()


def _post(transport: HttpTransport, payload: Payload) -> HttpResponse:
    started_at = time.monotonic()
    try:
        response = transport.post(payload)
    except (Unreachable, NoResponse) as error:
        raise CommandError(str(error)) from error
    except Aborted as error:
        raise Interrupted from error
    finally:
        transport.close()
    milliseconds = (time.monotonic() - started_at) * 1000
    output.print_line(f"HTTP {response.status} in {milliseconds:.0f} ms")
    for line in response.body.decode(errors="replace").splitlines():
        output.print_line(output.printable(line))
    return response


def _print_outcome(outcome: Outcome, records: Sequence[Record]) -> int:
    if outcome.verdict is not Verdict.ACCEPTED:
        output.print_line(f"not taken: {output.printable(outcome.detail)}")
        return FAILED
    for offset, failure in sorted(outcome.failures.items()):
        output.print_line(f"not taken: offset {offset}: {output.printable(failure.detail)}")
    output.print_line(f"{len(records) - len(outcome.failures)} of {len(records)} taken")
    return FAILED if outcome.failures else 0
