"""Which AWS call a request is, and what it carries, read with moto's own routers and parsers."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

REDACTED = "(redacted)"

# Where the name that signs a request is not the name of the boto3 client.
_CLIENT_NAMES = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
_SCOPE = re.compile(r"Credential=[^/,]+/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_READS = re.compile(r"^(Describe|Get|List|Head|BatchGet|Query|Search|Filter|Test(?!Failover)|Preview|Lookup)")
_NOT_WATCHED = {("logs", "PutLogEvents"), ("cloudwatch", "PutMetricData"), ("ebs", "PutSnapshotBlock")}
_SECRET_NAME = re.compile(r"password|authtoken|secretstring|secretbinary", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    """One AWS call.

    Args:
        service: name of the boto3 client, for example `elbv2`; empty if the request is not signed.
        action: operation name, for example `DescribeInstances`; empty if there is no such operation.
        environ: the request as a WSGI environment, without its body.
        body: the request's body.
    """

    service: str
    action: str
    environ: dict[str, Any]
    body: bytes

    @property
    def reads(self) -> bool:
        """True if the call changes nothing that the data plane acts on."""
        return bool(_READS.match(self.action)) or (self.service, self.action) in _NOT_WATCHED

    def request(self) -> Request:
        """A fresh moto request, which nobody has read from yet."""
        return Request({**self.environ, "wsgi.input": io.BytesIO(self.body)})

    def parameters(self) -> dict[str, Any]:
        """The call's parameters as boto3 names them, secrets redacted; empty if they cannot be read."""
        try:
            operation, path_parameters = get_service_router(self.service).match(self.request())
            parsed = _parse(self.service, operation, path_parameters, self.request())
        except (HTTPException, BotoCoreError, ClientError, NotImplementedError, ValueError, KeyError):
            return {}
        return {key: _plain(_member(operation.input_shape, key), item, key) for key, item in parsed.items()}


def identify(environ: dict[str, Any], body: bytes) -> Call:
    """Names the call from the credential scope, the target header, the action parameter or the REST path."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    service = scope["service"].lower() if scope else ""
    call = Call(_CLIENT_NAMES.get(service, service), "", environ, body)
    try:
        operation, _ = get_service_router(call.service).match(call.request())
    except (HTTPException, BotoCoreError, NotImplementedError, KeyError, ValueError):
        return call
    return Call(call.service, str(operation.name), environ, body)


def _parse(service: str, operation: OperationModel, path_parameters: dict[str, Any], request: Request) -> Any:
    protocol = determine_request_protocol(get_service_model(service), request.content_type)
    parser = PROTOCOL_PARSERS[protocol](operation, map_type=dict)
    return parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": path_parameters,
        }
    )


def _plain(shape: Shape | None, value: Any, name: str = "") -> Any:
    """`value` as JSON can say it: secrets hidden, bytes counted."""
    sensitive = shape is not None and shape.metadata.get("sensitive")
    if isinstance(value, dict):
        return {key: _plain(_member(shape, key), item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        member = shape.member if isinstance(shape, ListShape) else None
        return [_plain(member, item, name) for item in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    if sensitive or _SECRET_NAME.search(name):
        return REDACTED
    return f"({len(value)} bytes)" if isinstance(value, bytes) else str(value)


def _member(shape: Shape | None, key: str) -> Shape | None:
    if isinstance(shape, StructureShape):
        return shape.members.get(key)
    return shape.value if isinstance(shape, MapShape) else None
