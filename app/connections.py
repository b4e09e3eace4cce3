"""A connection that may not wait for ever: not for the head of a request, and not at the cost of others.

uvicorn bounds neither: who sends half a head keeps a descriptor and memory for good. The balancer sends whole heads;
this holds for whatever reaches the port.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from goldfleet.contract.deadlines import KEEP_ALIVE, REQUEST

CONNECTIONS = 3072
"""Open at once; a balancer keeps far fewer. Each takes 6 KiB, 70 KiB while a body is awaited."""
HEAD_SECONDS = KEEP_ALIVE + REQUEST
"""From a connection's start, or its latest answer, to the end of the next head: idle time, then the head itself."""


class Connection(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with a bound on connections.

    A new connection closes those that have waited too long for a head, and, when there are too many, the one that has
    waited longest. So whoever comes is heard, the health check above all.
    """

    waiting: ClassVar[OrderedDict[Connection, float]] = OrderedDict()
    """Who waits for a head, and since when (the loop's clock); the longest first."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.waiting[self] = now = self.loop.time()
        late = now - HEAD_SECONDS
        while self.waiting and (len(self.connections) > CONNECTIONS or next(iter(self.waiting.values())) < late):
            oldest, _ = self.waiting.popitem(last=False)
            oldest.connections.discard(oldest)
            oldest.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.waiting.pop(self, None)
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        self.waiting.pop(self, None)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self.waiting[self] = self.loop.time()
