"""A fake AWS over HTTP, also for processes that a test starts."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
}


class FakeAws:
    """Secrets Manager and SSM over HTTP: secrets by name, or an error for every request.

    A refusal is shaped as AWS shapes it: a code, and a message that quotes whatever it likes.
    """

    def __init__(self, port: int, secrets: Mapping[str, str]) -> None:
        self.secrets = dict(secrets)
        self.refuses: tuple[str, str] | None = None
        self.asked: list[str] = []
        self.variables = {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}

    def answer(self, question: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Return the answer to a request for a secret or for a parameter."""
        name = question.get("SecretId") or question["Name"]
        self.asked.append(name)
        if self.refuses:
            code, message = self.refuses
            return 400, {"__type": code, "Message": message, "message": message}
        if name not in self.secrets:
            kind = "ResourceNotFoundException" if "SecretId" in question else "ParameterNotFound"
            return 400, {"__type": kind}
        text = self.secrets[name]
        return 200, {"Name": name, "SecretString": text, "Parameter": {"Value": text}}


@contextmanager
def fake_aws(**secrets: str) -> Iterator[FakeAws]:
    """Serve on a free port during the block; its `variables` point there."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, content = aws.answer(question)
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        aws = FakeAws(server.server_port, secrets)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield aws
        finally:
            server.shutdown()
            thread.join()
