"""Lambda's Runtime API for one instance of a function, and that instance as a process.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.stack import ROOT
from local.stack.ports import HOST

ENTRY = ("-m", "awslambdaric", "infra.aws.lambda_handler.handler")
INVOCATION = "/2018-06-01/runtime/invocation/"
LIMIT_S = 60.0
XRAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


class FunctionError(Exception):
    """A function raised; the arguments are the type and the message that Lambda gets."""


@dataclass(frozen=True)
class _Result:
    """A request of the instance: the result of an invocation, or an error."""

    kind: str
    body: Any


class Runtime:
    """The Runtime API of one instance; `invoke` sends it an event and waits for its result."""

    def __init__(self) -> None:
        self._events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._results: queue.Queue[_Result] = queue.Queue()
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def address(self) -> str:
        """The value of AWS_LAMBDA_RUNTIME_API."""
        return f"{HOST}:{self._server.server_port}"

    def invoke(self, event: Any) -> Any:
        """Invoke the function with an event; return its result.

        Raises:
            FunctionError: it raises, or cannot start.
        """
        self._events.put((str(uuid4()), json.dumps(event).encode()))
        try:
            result = self._results.get(timeout=LIMIT_S)
        except queue.Empty:
            raise AssertionError("the function says nothing") from None
        if result.kind == "response":
            return result.body
        raise FunctionError(result.body["errorType"], result.body["errorMessage"])

    def close(self) -> None:
        """Stop the server; an instance that waits for its next event gets no answer."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(runtime) -> type[BaseHTTPRequestHandler]:  # noqa: N805 (the inner self is another)
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms for company
            wbufsize = -1

            def handle(self) -> None:
                with suppress(ConnectionError):  # the instance may be gone
                    super().handle()

            def do_GET(self) -> None:
                assert self.path == f"{INVOCATION}next"
                invocation, event = runtime._events.get()
                self._answer(200, event, {
                    "Content-Type": "application/json",
                    "Lambda-Runtime-Aws-Request-Id": invocation,
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + LIMIT_S) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:1:function:f",
                    "Lambda-Runtime-Trace-Id": XRAY,
                })  # fmt: skip

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kind = self.path.rpartition("/")[2]
                runtime._results.put(_Result(kind, json.loads(body)))
                self._answer(202, b'{"status":"OK"}', {"Content-Type": "application/json"})

            def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        return Handler


def environment(function: str, runtime: Runtime, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of an instance, beside those of the image."""
    return {
        "AWS_LAMBDA_FUNCTION_NAME": function.replace("_", "-"),
        "AWS_LAMBDA_RUNTIME_API": runtime.address,
        "FUNCTION_SOURCE": f"functions/{function}/main.py",
        "FUNCTION_TARGET": function,
        "HOME": "/tmp",  # noqa: S108 (as on Lambda)
        **settings,
    }


@contextmanager
def instance(function: str, settings: Mapping[str, str], log: Path) -> Iterator[Runtime]:
    """Run a function in its own process, as Lambda's image starts it, during the block."""
    runtime = Runtime()
    env = {"PATH": os.environ["PATH"], **environment(function, runtime, settings)}
    with (
        log.open("ab") as out,
        subprocess.Popen(
            [sys.executable, *ENTRY], cwd=ROOT, env=env, stdout=out, stderr=out
        ) as process,
    ):
        try:
            yield runtime
        finally:
            process.kill()
            process.wait()
            runtime.close()
