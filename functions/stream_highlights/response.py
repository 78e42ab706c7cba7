"""A response that is sent while it is made, and notices that its client leaves."""

import asyncio
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from functions.shared.http.problems import Problem
from functions.shared.http.server_hooks import ABORT
from functions.stream_highlights.stream import HighlightStream

HEADERS = {
    "Cache-Control": "no-store",
    "Connection": "close",  # it ends so that the next one may go elsewhere
    "X-Accel-Buffering": "no",  # nginx
}


class StreamResponse(Response):
    """Sends a stream until it ends, or its client leaves."""

    media_type = "text/event-stream"

    def __init__(self, stream: HighlightStream, headers: Mapping[str, str]) -> None:
        super().__init__(headers={**HEADERS, **headers})
        del self.headers["content-length"]
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; the stream is closed afterwards."""
        loop = asyncio.get_running_loop()
        sending = loop.create_task(self._send(send))
        leaving = loop.create_task(_until_left(receive))
        self._stream.subscription.give_up = scope.get("state", {}).get(ABORT, sending.cancel)
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not sending.cancelled():
                sending.result()
        finally:
            sending.cancel()
            leaving.cancel()
            self._stream.close()
            await asyncio.wait({sending, leaving})

    async def _send(self, send: Send) -> None:
        head = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **head})
        async for chunk in self._stream.chunks():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(0)  # else what is written in one go is not bounded
        await send({"type": "http.response.body"})


async def _until_left(receive: Receive) -> None:
    """Return when the client has left, or sends a body too slowly."""
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    except Problem:
        return
