"""Lambda's events as calls of a function's app, and its answers back."""

from collections.abc import Callable
from typing import Any

from infra.aws import http_event, rest_event, work_event
from infra.aws.asgi import Answer, Call
from infra.aws.xray import traceparent_of


class UnknownEvent(Exception):
    """An event of no kind that the functions are for."""


def dispatch(event: Any, call: Callable[[Call], Answer], xray: str = "") -> Any:
    """What Lambda is told of an event, whose app `call` calls; `xray` is the invocation's trace.

    Raises:
        NotTaken: of records or a schedule, which Lambda is to bring again.
        UnknownEvent: it would be of no use to.
    """
    traceparent = traceparent_of(xray)
    if isinstance(event, dict):
        if rest_event.is_rest_event(event):
            request = rest_event.call_of(event, traceparent)
            prefix = rest_event.prefix_of(event)
            return rest_event.response_of(call(request), request.method, prefix)
        if http_event.is_http_event(event):
            request = http_event.call_of(event, traceparent)
            prefix = http_event.prefix_of(event)
            return http_event.response_of(call(request), request.method, prefix)
        if work_event.is_kafka_event(event):
            return work_event.result_of(call(work_event.call_of(event, traceparent)))
        if work_event.is_schedule_event(event):
            return work_event.outcome_of(call(work_event.call_of(event, traceparent)))
    raise UnknownEvent(
        "Neither a request of API Gateway or a function URL, nor an event of Kafka or a schedule."
    )
