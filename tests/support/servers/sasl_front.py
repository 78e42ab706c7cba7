"""A proxy that requires SASL PLAIN in front of a broker without authentication."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SASL_HANDSHAKE, SASL_AUTHENTICATE = 17, 36
AUTHENTICATION_FAILED = 58


class SaslFront:
    """Forwards the requests of authenticated clients; `password` may be changed at any time."""

    def __init__(self, listener: socket.socket, broker: tuple[str, int], password: str) -> None:
        self.password = password
        self.address = "{}:{}".format(*listener.getsockname())
        self.heard: list[str] = []
        self._listener = listener
        self._broker = broker
        self._open: set[socket.socket] = set()

    def hang_up(self) -> None:
        """Close every connection, as a broker that restarts does."""
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Accept connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,)).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._broker) as broker, suppress(OSError):
            self._open |= {client, broker}
            try:
                if self._authenticated(client, broker):
                    back = threading.Thread(target=_pump, args=(broker, client))
                    back.start()
                    _pump(client, broker)
                    back.join()
            finally:
                self._open -= {client, broker}

    def _authenticated(self, client: socket.socket, broker: socket.socket) -> bool:
        while request := _frame(client):
            api, version, correlation = struct.unpack(">hhi", request[:8])
            body = request[10 + struct.unpack(">h", request[8:10])[0] :]
            if api == SASL_HANDSHAKE:
                mechanisms = struct.pack(">hih", 0, 1, 5) + b"PLAIN"
                _send(client, struct.pack(">i", correlation) + mechanisms)
            elif api == SASL_AUTHENTICATE:
                self.heard.append(body[4:].decode().rpartition("\0")[2])
                error = 0 if self.heard[-1] == self.password else AUTHENTICATION_FAILED
                lifetime = struct.pack(">q", 0) if version else b""
                _send(client, struct.pack(">ihhi", correlation, error, -1, 0) + lifetime)
                return not error
            else:  # what the broker can do is asked before
                _send(broker, request)
                _send(client, _frame(broker))
        return False


def _frame(source: socket.socket) -> bytes:
    length = _exactly(source, 4)
    return _exactly(source, int.from_bytes(length)) if length else b""


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            return b""
        data += more
    return data


def _send(target: socket.socket, frame: bytes) -> None:
    target.sendall(len(frame).to_bytes(4) + frame)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def sasl_front(port: int, broker_port: int, password: str) -> Iterator[SaslFront]:
    """Serve on a port of 127.0.0.1, which the broker has to advertise."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        front = SaslFront(listener, ("127.0.0.1", broker_port), password)
        thread = threading.Thread(target=front.serve)
        thread.start()
        try:
            yield front
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            front.hang_up()
            thread.join()
