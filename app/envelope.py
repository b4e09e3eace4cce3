"""What every answer carries: who gave it, and how a browser is to treat it. And the net below all that goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from time import monotonic
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.answers import answer
from app.facts import Facts, request_id
from app.forgery import SAFE_METHODS
from app.log import log
from goldfleet.contract.environment import Environment

HSTS_SECONDS = 31_536_000


def security_headers(public_url: str) -> Mapping[str, str]:
    """The same for every answer. Source: OWASP, "HTTP Security Response Headers Cheat Sheet".

    Args:
        public_url: what people see; only where it is https may a browser be told to stay with that.
    """
    headers = {
        "Content-Security-Policy": (
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    if urlsplit(public_url).scheme == "https":
        headers["Strict-Transport-Security"] = f"max-age={HSTS_SECONDS}; includeSubDomains"
    return headers


class Envelope:
    """The outermost ASGI middleware: facts and headers for every answer, an answer for every failure."""

    def __init__(self, app: ASGIApp, environment: Environment) -> None:
        self._app = app
        self._clone = (environment.instance_id, environment.zone, environment.release)
        self._headers = security_headers(environment.public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        facts = Facts(*self._clone)
        request_id.set(facts.request_id)
        scope.setdefault("state", {})["facts"] = facts
        reply = _Reply(send, self._headers, facts)
        try:
            await self._app(scope, receive, reply.send)
        except HTTPException as problem:
            await reply.instead(scope, receive, problem)
        except Exception:  # noqa: BLE001  the last net: nobody above would answer
            log.exception("%s %s failed", scope["method"], scope["path"])
            await reply.instead(scope, receive, HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR))
        reply.note(scope)


class _Reply:
    """The answer to one request, on its way out."""

    def __init__(self, send: Send, headers: Mapping[str, str], facts: Facts) -> None:
        self._send = send
        self._headers = headers
        self._facts = facts
        self._status = 0
        self._began = monotonic()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in {**self._headers, **self._facts.headers()}.items():
                headers.setdefault(name, value)
        await self._send(message)

    async def instead(self, scope: Scope, receive: Receive, problem: HTTPException) -> None:
        """Tells of the problem, unless an answer is already on its way."""
        if not self._status:
            await answer(scope, problem)(scope, receive, self.send)

    def note(self, scope: Scope) -> None:
        """One log line for what changed something or failed; the balancer's log has the rest."""
        if scope["method"] in SAFE_METHODS and self._status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return
        milliseconds = (monotonic() - self._began) * 1000
        log.info("%s %s: %d in %.1f ms", scope["method"], scope["path"], self._status, milliseconds)
