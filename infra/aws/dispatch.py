"""Turns Lambda's events into requests to a function's app, and its responses into results."""

from collections.abc import Callable
from typing import Any

from infra.aws import http_event, non_http_event, rest_event
from infra.aws.asgi import AppRequest, AppResponse
from infra.aws.xray import traceparent_of


class UnknownEvent(Exception):
    """An event of a kind that the functions do not process."""


def dispatch(event: Any, send: Callable[[AppRequest], AppResponse], xray: str = "") -> Any:
    """Return the result of an event; `send` calls the app, `xray` is the trace of the invocation.

    Raises:
        EventNotProcessed: the app refuses records or a schedule, which Lambda is to retry.
        UnknownEvent: the event is of an unknown kind.
    """
    traceparent = traceparent_of(xray)
    if isinstance(event, dict):
        if rest_event.matches(event):
            request = rest_event.to_request(event, traceparent)
            prefix = rest_event.path_prefix(event)
            return rest_event.to_result(send(request), request.method, prefix)
        if http_event.matches(event):
            request = http_event.to_request(event, traceparent)
            prefix = http_event.path_prefix(event)
            return http_event.to_result(send(request), request.method, prefix)
        if non_http_event.is_kafka_event(event):
            return non_http_event.kafka_result(send(non_http_event.to_request(event, traceparent)))
        if non_http_event.is_schedule_event(event):
            return non_http_event.response_json(send(non_http_event.to_request(event, traceparent)))
    raise UnknownEvent(
        "Neither a request of API Gateway or a function URL, nor an event of Kafka or a schedule."
    )
