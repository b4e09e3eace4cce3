"""HTTP answers, and AWS errors in the words of each service's protocol."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from local.control.calls import Call


class _ToldError(ServiceException):
    """An error of any service: moto looks for an error's shape where its class is defined."""


@dataclass(frozen=True)
class Answer:
    """A complete HTTP response.

    Args:
        status: for example `200 OK`.
        headers: without `Content-Length`.
        body: all of it.
    """

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status.split(" ", 1)[0])


def json_answer(status: str, content: Any) -> Answer:
    """`content` as JSON."""
    return Answer(status, [("Content-Type", "application/json")], json.dumps(content).encode() + b"\n")


def aws_error(call: Call, code: str, message: str, status: int) -> Answer:
    """An AWS error as the SDK of the call's service expects it."""
    text = f"{status} {code}"
    if not call.action:
        return json_answer(text, {"__type": code, "message": message})
    model = get_service_model(call.service)
    protocol = determine_request_protocol(model, call.environ.get("CONTENT_TYPE", ""))
    serializer = get_serializer_class(model.service_name, protocol)
    serialized = serializer(operation_model=model.operation_model(call.action)).serialize(_ToldError(code, message))
    return Answer(text, list(_headers(serialized["headers"])), _bytes(serialized["body"]))


def _headers(headers: Any) -> Iterable[tuple[str, str]]:
    return ((str(name), str(value)) for name, value in headers.items() if name.lower() != "content-length")


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body
