"""The engine as the provider calls it: a line of text on a resource's own row."""

from __future__ import annotations

import contextlib
from typing import Any

import grpc

from goldfleet.servicer import protocol

CALL_TIMEOUT = 5.0


class Engine:
    """Sends lines to the engine; a line that does not arrive is no error."""

    def __init__(self, address: str | None = None) -> None:
        self._stub: Any = None
        if address:
            self.connect(address)

    def connect(self, address: str) -> None:
        """Uses the engine at `host:port` from now on."""
        self._stub = protocol.engine_grpc.EngineStub(grpc.insecure_channel(address))

    def progress(self, urn: str, text: str) -> None:
        """Shows `text` beside the resource until the next line or its end."""
        self._log(urn, text, protocol.engine.INFO, ephemeral=True)

    def tell(self, urn: str, text: str) -> None:
        """Shows `text` beside the resource, and keeps it in the summary."""
        self._log(urn, text, protocol.engine.INFO, ephemeral=False)

    def debug(self, urn: str, text: str) -> None:
        """Shown with `--debug` only."""
        self._log(urn, text, protocol.engine.DEBUG, ephemeral=False)

    def _log(self, urn: str, text: str, severity: int, *, ephemeral: bool) -> None:
        if self._stub is None:
            return
        request = protocol.engine.LogRequest(severity=severity, message=text, urn=urn, ephemeral=ephemeral)
        with contextlib.suppress(grpc.RpcError):
            self._stub.Log(request, timeout=CALL_TIMEOUT)
