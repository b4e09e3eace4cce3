"""The one door: names every call, records it, delays or fails it, carries it out under the lock, and serves `/_local/`.

`Front` is a WSGI application around moto's.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from werkzeug.test import run_wsgi_app

from local.addresses import CONTROL_IN_GUEST, control_address
from local.control.answers import Answer, aws_error, json_answer
from local.control.calls import Call, identify
from local.control.cloud import Cloud
from local.control.faults import Faults
from local.control.local_api import PREFIX, LocalApi
from local.control.record import Record

# Doors that are moto's, not AWS's: they would show all state to whoever asks.
_MOTOS_OWN = ("/moto-api", "/latest/")


class Front:
    """Everything that answers on the control port.

    Args:
        moto: the WSGI application that carries AWS calls out.
        cloud: the control plane's own state.
        settle: called under the lock after every call that changes something.
    """

    def __init__(self, moto: WSGIApplication, cloud: Cloud, settle: Callable[[], bool]) -> None:
        self._moto = moto
        self._cloud = cloud
        self._settle = settle
        self._faults = Faults()
        self._record = Record()
        self._local_api = LocalApi(cloud, self._faults, self._record, settle)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        answer = self._answer(environ, body)
        headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
        start_response(answer.status, [*headers, ("Content-Length", str(len(answer.body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _answer(self, environ: dict[str, Any], body: bytes) -> Answer:
        path, host = environ["PATH_INFO"], environ.get("HTTP_HOST", "").partition(":")[0]
        if host not in (control_address(self._cloud.network), CONTROL_IN_GUEST):
            # A web page whose name was made to resolve to this address must not get in.
            return json_answer("421 Misdirected Request", {"error": f"this is not {host}"})
        if path.startswith(PREFIX):
            return self._local_api.answer(environ, body)
        if path.startswith(_MOTOS_OWN):
            return json_answer("404 Not Found", {"error": f"no {path}"})
        return self._aws(_without_input(environ), body)

    def _aws(self, environ: dict[str, Any], body: bytes) -> Answer:
        start = time.monotonic()
        with self._cloud.lock:
            call = identify(environ, body)
            fault = self._faults.strike(call.service, call.action)
        if fault is not None:
            time.sleep(fault.delay_seconds)
        if fault is not None and fault.error is not None:
            answer = aws_error(call, fault.error, "A fault rule of the local cloud", fault.status)
        else:
            answer = self._carry_out(call)
        self._record.add(call, answer.code, time.monotonic() - start)
        return answer

    def _carry_out(self, call: Call) -> Answer:
        if call.service and not call.action:
            return aws_error(
                call, "InvalidAction", f"The local control plane knows no such call of {call.service}", 400
            )
        with self._cloud.lock:
            try:
                answer = self._ask_moto(call)
                if not call.reads:
                    self._settle()
                    self._cloud.mark_changed()
            except NotImplementedError:
                message = f"The local control plane has no {call.service} {call.action}"
                return aws_error(call, "NotImplemented", message, 501)
            except Exception as error:  # noqa: BLE001  whatever moto trips over, the caller gets an AWS error
                traceback.print_exc(file=sys.stderr)
                return aws_error(call, "InternalFailure", f"{type(error).__name__}: {error}", 500)
        return answer

    def _ask_moto(self, call: Call) -> Answer:
        parts, status, headers = run_wsgi_app(self._moto, {**call.environ, "wsgi.input": BytesIO(call.body)})
        return Answer(status, list(headers), b"".join(parts))


def _without_input(environ: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in environ.items() if isinstance(value, str | bool | tuple)}
    return {**kept, "wsgi.errors": sys.stderr, "wsgi.input": BytesIO()}
