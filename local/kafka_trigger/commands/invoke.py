"""`invoke`: a function called once, with sample records in the trigger's envelope."""

import argparse
import threading
import time
from collections.abc import Sequence

from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.errors import FAILED, Interrupted, Misuse, Problem, pick
from local.kafka_trigger.commands.sample import SampleRecord, read_samples
from local.kafka_trigger.config.models import Config
from local.kafka_trigger.delivering.classify_response import Outcome, Verdict, classify_response
from local.kafka_trigger.delivering.google_identity import tokens_for
from local.kafka_trigger.delivering.transport import (
    Aborted,
    Broken,
    HttpResponse,
    HttpTransport,
    Unreachable,
)
from local.kafka_trigger.envelopes.choice import OF_ONE_RECORD, encoder
from local.kafka_trigger.envelopes.payload import Payload
from local.process.urls import redact_query


def invoke(config: Config, options: argparse.Namespace, stopping: threading.Event) -> int:
    """Post a file's records once; returns 0 only if all of them were taken."""
    trigger = pick(config.triggers, options.trigger)
    records = read_samples(options.event_file, trigger.topic)
    if len({record.partition() for record in records}) > 1:
        raise Misuse(f"{options.event_file}: a request has the records of one partition")
    if len(records) > 1 and trigger.envelope in OF_ONE_RECORD:
        raise Misuse(f"{options.event_file}: a {trigger.envelope} envelope holds one record")
    url = options.function or trigger.function
    payload = encoder(trigger.envelope, config.kafka.bootstrap_servers)(records)
    output.say(
        f"POST {redact_query(url)}: {payload.content_type or 'no type'}, {len(payload.body)} bytes"
    )
    transport = HttpTransport(url, trigger.timeout_s, tokens_for(trigger.auth, url))
    threading.Thread(target=_abort, args=(transport, stopping), daemon=True).start()
    answer = _post(transport, payload)
    return _say_outcome(classify_response(answer, records), records)


def _abort(transport: HttpTransport, stopping: threading.Event) -> None:
    stopping.wait()
    transport.abort()


def _post(transport: HttpTransport, payload: Payload) -> HttpResponse:
    began = time.monotonic()
    try:
        answer = transport.post(payload)
    except (Unreachable, Broken) as error:
        raise Problem(str(error)) from error
    except Aborted as error:
        raise Interrupted from error
    finally:
        transport.close()
    milliseconds = (time.monotonic() - began) * 1000
    output.say(f"HTTP {answer.status} in {milliseconds:.0f} ms")
    for line in answer.body.decode(errors="replace").splitlines():
        output.say(output.printable(line))
    return answer


def _say_outcome(outcome: Outcome, records: Sequence[SampleRecord]) -> int:
    if outcome.verdict is not Verdict.TAKEN:
        output.say(f"not taken: {output.printable(outcome.why)}")
        return FAILED
    for offset, failure in sorted(outcome.failures.items()):
        output.say(f"not taken: offset {offset}: {output.printable(failure.why)}")
    output.say(f"{len(records) - len(outcome.failures)} of {len(records)} taken")
    return FAILED if outcome.failures else 0
