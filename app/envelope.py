"""What every answer carries: who gave it, and how a browser is to treat it. And the net below all that goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.answers import answer
from app.facts import Facts, request_id
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
            return await self._app(scope, receive, send)
        facts = Facts(*self._clone)
        request_id.set(facts.request_id)
        scope.setdefault("state", {})["facts"] = facts
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in {**self._headers, **facts.headers()}.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except HTTPException as problem:
            if not started:
                await answer(scope, problem)(scope, receive, send_with_headers)
        except Exception:  # noqa: BLE001  the last net: nobody above would answer
            log.exception("%s %s failed", scope["method"], scope["path"])
            if not started:
                failure = HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR)
                await answer(scope, failure)(scope, receive, send_with_headers)
