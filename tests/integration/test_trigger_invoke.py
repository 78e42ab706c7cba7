"""`invoke`: one request to a function, and what is printed of its response."""

import threading
from pathlib import Path

import orjson
import pytest

from local.kafka_trigger.cli import main
from local.stack.ports import free_port
from tests.support.servers.function_server import FunctionServer, Reply, Request

BATCH = Path(__file__).parents[2] / "local" / "kafka_trigger" / "events" / "batch.json"


def triggers_file(folder: Path, url: str, more: str = "") -> str:
    """A file with a trigger of this function; `invoke` needs no broker."""
    file = folder / "triggers.toml"
    file.write_text(
        f"""[kafka]
        bootstrap.servers = "127.0.0.1:1"
        [[trigger]]
        name = "orders"
        topic = "t"
        group = "g"
        function = "{url}"
        auto_offset_reset = "earliest"
        {more}
        """
    )
    return str(file)


def rejecting(offset: int) -> Reply:
    """A response that names a record as failed."""
    item = {"itemIdentifier": f"t-0-{offset}", "reason": "no room"}
    return Reply(200, orjson.dumps({"batchItemFailures": [item]}))


@pytest.mark.parametrize(
    ("reply", "status", "printed"),
    [
        (Reply(200, b"thanks"), 0, ["thanks", "3 of 3 taken"]),
        (Reply(204), 0, ["3 of 3 taken"]),
        (rejecting(101), 1, ["not taken: offset 101: no room", "2 of 3 taken"]),
        (rejecting(7), 1, ["not taken: a malformed answer: t-0-7 is no record of the batch"]),
        (Reply(422, b"bad"), 1, ["not taken: HTTP 422: bad"]),
        (Reply(500), 1, ["not taken: HTTP 500"]),
    ],
)
def test_the_records_are_posted_once_and_the_response_is_printed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    reply: Reply,
    status: int,
    printed: list[str],
) -> None:
    """Its status, body, time and accepted records; the exit status is 0 only if all were."""
    with FunctionServer(lambda _: reply) as function:
        file = triggers_file(tmp_path, function.url)
        assert main(threading.Event(), ["invoke", file, str(BATCH)]) == status
        [request] = function.requests
    events = orjson.loads(request.body)
    assert [event["kafkaoffset"] for event in events] == ["100", "101", "103"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"POST {function.url}: application/cloudevents-batch+json, ")
    assert lines[1].startswith(f"HTTP {reply.status} in ")
    assert all(any(line.startswith(each) for line in lines) for each in printed)


def test_another_function_can_be_given(tmp_path: Path) -> None:
    """The trigger's own gets no request."""
    with FunctionServer() as own, FunctionServer() as other:
        file = triggers_file(tmp_path, own.url)
        arguments = ["invoke", file, "--function", other.url, str(BATCH)]
        assert main(threading.Event(), arguments) == 0
        assert (len(own.requests), len(other.requests)) == (0, 1)


def test_the_records_are_posted_in_the_triggers_envelope(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An envelope of one record holds no more."""
    with FunctionServer() as function:
        file = triggers_file(tmp_path, function.url, 'envelope = "lambda"')
        assert main(threading.Event(), ["invoke", file, str(BATCH)]) == 0
        [request] = function.requests
        assert len(orjson.loads(request.body)["records"]["t-0"]) == 3
        file = triggers_file(tmp_path, function.url, 'envelope = "cloudevents-binary"')
        assert main(threading.Event(), ["invoke", file, str(BATCH)]) == 2
    assert "a cloudevents-binary envelope holds one record" in capsys.readouterr().err


def test_an_unavailable_function_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit status 1; a file that does not exist has 2."""
    file = triggers_file(tmp_path, f"http://127.0.0.1:{free_port()}/")
    assert main(threading.Event(), ["invoke", file, str(BATCH)]) == 1
    assert capsys.readouterr().err.startswith("invoke: no connection: ")
    assert main(threading.Event(), ["invoke", file, str(tmp_path / "none.json")]) == 2
    assert "No such file or directory" in capsys.readouterr().err


def test_the_request_can_be_interrupted(tmp_path: Path) -> None:
    """While the function has not answered."""
    stopping, release = threading.Event(), threading.Event()

    def slow(_: Request) -> Reply:
        stopping.set()
        release.wait(20)
        return Reply()

    with FunctionServer(slow) as function:
        file = triggers_file(tmp_path, function.url)
        assert main(stopping, ["invoke", file, str(BATCH)]) == 130
        release.set()
