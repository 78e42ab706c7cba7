"""Random requests to ingest-event: none is a 5xx, and every accepted event can be consumed."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from functions.ingest_event.app import build_app
from functions.shared.contract.event import Event, IdentifiedEvent
from functions.shared.http.routing import Router
from functions.shared.kafka.acknowledgements import Acknowledged
from functions.shared.kafka.publisher import Record
from tests.support.builders.events import NAMES, event_json, events_json
from tests.support.builders.revisions import RULES
from tests.support.length import LENGTH

BODIES = {"short": 100_000, "long": 1_000_000}[LENGTH]
SEEDS = range(4)
PATHS = ("/events", "/events/batch")

FIELDS = [field.alias or name for name, field in Event.model_fields.items()]
NAMES_OF_FIELDS = [*FIELDS, "match_id", "plyer", "", "\0", "x" * 300, "__proto__", "id"]
# Values that have broken a parser, a database or a clock somewhere. Numbers and texts that Python's
# own JSON would not write are given as they are sent.
VALUES = [
    "null", "true", "false", "0", "-0", "-1", "1e0", "1.0", "45", "150", "151", "1e400", "-1e400",
    "1" * 400, "9" * 5000, "0.1e-9999", "NaN", "Infinity", "-Infinity", "+1", "0x1", "01", "1_0",
    "2147483647", "2147483648", "9223372036854775808", '""', '" "', '"goal"', '"GOAL"', '"None"',
    '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\x"',
    '"\\uffff\\ufeff\\u202e"', '"\\u001f"', f'"{"x" * 128}"', f'"{"x" * 129}"', f'"{"é" * 1024}"',
    f'"{"👩🏽‍🦰" * 300}"', "[]", "{}", "[[]]", '{"a":{}}', "[null]", "'x'", "undefined", "/**/1",
    '"00000000-0000-0000-0000-000000000000"', '"00000000-0000-0000-0000-000000000001"',
    '"0000000000000000000000000000000z"', '"{00000000-0000-0000-0000-000000000001}"',
    '"urn:uuid:00000000-0000-0000-0000-000000000001"', '"0001-01-01T00:00:00+14:00"',
    '"9999-12-31T23:59:59-14:00"', '"9999-12-31T23:59:59.999999999Z"', '"2022-12-18T15:36:60Z"',
    '"2022-12-18T15:36:00"', '"2022-12-18T15:36:00+24:00"', '"2022-12-18T15:36:00z"', '"now"',
    '"0000-00-00T00:00:00Z"', '"2022-12-18T15:36:00+14:60"', "1671377760", "1e18",
    "", '"\n"', *(json.dumps(name) for name in NAMES),
]  # fmt: skip
KEYS = [
    None,
    None,
    None,
    b"key",
    b'"quoted"',
    b'"',
    b"\xe9\xff",
    b"k" * 120,
    b"k" * 500,
    b" ",
    b"\x1f",
]


class ValidatingPublisher:
    """A publisher that validates every record as the consumer does, and fails on an invalid one."""

    def __init__(self) -> None:
        self.read = 0

    def publish(
        self, records: Sequence[Record], acknowledged: Acknowledged | None = None
    ) -> Acknowledged:
        """Validate the records."""
        acknowledged = acknowledged or asyncio.get_running_loop().create_future()
        for record in records:
            IdentifiedEvent.model_validate(orjson.loads(record.value))
            record.key.encode()
            for value in record.headers.values():
                value.encode()
            self.read += 1
        acknowledged.set_result(None)
        return acknowledged


async def posted(
    routes: Router, path: str, body: bytes, key: bytes | None, chunks: int = 1
) -> Response:
    """Return the response to a body, which arrives in so many chunks."""
    size = -(-len(body) // chunks) or 1
    parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]

    async def receive() -> Message:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    headers = [(b"content-type", b"application/json")]
    if key is not None:
        headers.append((b"idempotency-key", key))
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    return await routes(Request(scope, receive))


def check(response: Response, topic: ValidatingPublisher, read_before: int) -> None:
    """Fail unless a response is one of the contract's."""
    assert response.status_code in (202, 400, 413), bytes(response.body)
    details = orjson.loads(response.body)
    if response.status_code == 202:
        assert topic.read > read_before
    else:
        assert response.headers["content-type"] == "application/problem+json"
        assert details["status"] == response.status_code
        assert details["errors"] if response.status_code == 400 else details["detail"]
        assert topic.read == read_before


def almost_valid(random: Random) -> bytes:
    """Return an event of which up to four fields are invalid or unknown."""
    fields = {name: json.dumps(value) for name, value in event_json(eventId="goal-1").items()}
    for _ in range(random.choice([0, 0, 0, 1, 1, 1, 2, 4])):
        fields[random.choice(NAMES_OF_FIELDS if random.random() < 0.2 else FIELDS)] = random.choice(
            VALUES
        )
    if random.random() < 0.1:
        del fields[random.choice(list(fields))]
    members = [f"{json.dumps(name)}:{value}" for name, value in fields.items()]
    return f"{{{','.join(members)}}}".encode()


def mutated(random: Random) -> bytes:
    """Return an event with bytes changed, removed, repeated or inserted."""
    body = bytearray(almost_valid(random))
    for _ in range(random.randint(1, 4)):
        at, end = random.randrange(len(body) + 1), random.randrange(len(body) + 1)
        put = random.choice(
            [b"", random.randbytes(2), bytes(body[at:end]), b'"', b"{", b"\\", b"\0"]
        )
        body[at : at + random.choice([0, 1, 8])] = put
    return bytes(body)


def any_json(random: Random, depth: int = 4) -> Any:
    """Return any JSON."""
    kind = random.randrange(8 if depth else 6)
    if kind == 6:
        return [any_json(random, depth - 1) for _ in range(random.randrange(4))]
    if kind == 7:
        names = random.choices(NAMES_OF_FIELDS, k=random.randrange(6))
        return {name: any_json(random, depth - 1) for name in names}
    scalars = [None, True, random.random() * 10.0 ** random.randint(-300, 300),
               random.randint(-(2**70), 2**70), random.choice(NAMES), event_json()]  # fmt: skip
    return scalars[kind]


def nested(random: Random) -> bytes:
    """Return nested brackets, up to thousands deep, closed or not."""
    deep = random.choice([1, 10, 200, 1_000, 5_000])
    start, end = random.choice([(b"[", b"]"), (b'{"player":', b"}"), (b'[{"x":', b"}]")])
    return start * deep + b"1" + end * random.choice([0, deep, deep])


def several(random: Random) -> bytes:
    """Return an array of valid and invalid events."""
    items = [almost_valid(random) for _ in range(random.choice([0, 1, 1, 1, 2, 3]))]
    return b"[" + b",".join(items) + random.choice([b"]", b"]", b"]", b",]", b""])


MAKERS: list[tuple[int, Callable[[Random], bytes]]] = [
    (1000, almost_valid),
    (400, several),
    (300, mutated),
    (200, lambda random: json.dumps(any_json(random)).encode()),
    (100, lambda random: random.randbytes(random.randrange(200))),
    (20, nested),
    (1, lambda random: json.dumps(event_json(player="x" * random.randrange(70_000))).encode()),
    (1, lambda random: b"[" + b",".join([almost_valid(random)] * random.randrange(520)) + b"]"),
]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_body_is_a_5xx(seed: int) -> None:
    """Of a hundred thousand: noise, JSON of any kind, and events that are almost valid."""
    random = Random(seed)
    weights, makers = zip(*MAKERS, strict=True)
    responses: Counter[tuple[str, int]] = Counter()

    async def within() -> None:
        topic = ValidatingPublisher()
        routes = build_app(lambda: topic, RULES)
        for maker in random.choices(makers, weights, k=BODIES // len(SEEDS)):
            body, key = maker(random), random.choice(KEYS)
            path = random.choice(PATHS) if random.random() < 0.2 else PATHS[body.startswith(b"[")]
            read_before = topic.read
            try:
                response = await posted(routes, path, body, key, random.choice([1, 1, 1, 3]))
                check(response, topic, read_before)
            except Exception as error:
                raise AssertionError(f"{path} {key!r} {body[:2000]!r}") from error
            responses[path, response.status_code] += 1

    asyncio.run(within())
    # Neither all noise nor all good: both have been tried thousands of times.
    assert responses.total() == BODIES // len(SEEDS)
    for path in PATHS:
        assert min(responses[path, 202], responses[path, 400]) > responses.total() / 50, responses


@given(
    events_json()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(FIELDS) | st.text(), inner),
    ),
    st.sampled_from(PATHS),
    st.none() | st.binary(max_size=150),
    st.booleans(),
)
def test_no_json_is_a_5xx(value: Any, path: str, key: bytes | None, ascii_only: bool) -> None:
    """Hypothesis looks for the smallest that is; any Idempotency-Key may come with it."""
    body = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    topic = ValidatingPublisher()
    check(asyncio.run(posted(build_app(lambda: topic, RULES), path, body, key)), topic, 0)


@given(events_json())
def test_every_event_of_the_contract_is_accepted(body: dict[str, Any]) -> None:
    """Alone and in a batch."""
    topic = ValidatingPublisher()
    routes = build_app(lambda: topic, RULES)
    one = asyncio.run(posted(routes, "/events", orjson.dumps(body), None))
    batch = asyncio.run(posted(routes, "/events/batch", orjson.dumps([body, body]), None))
    assert (one.status_code, batch.status_code, topic.read) == (202, 202, 3)
