"""CloudWatch Logs: keys of log groups change, and a stream keeps only its latest lines, so that memory has a bound.

AWS, "AssociateKmsKey" and "DisassociateKmsKey".
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.logs import models, urls
from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.models import LogGroup, LogStream, logs_backends
from moto.logs.responses import LogsResponse

from local.control.extend import use_model, use_response

KEPT = 20_000
"""Lines that a stream keeps."""


class BoundedStream(LogStream):
    """A log stream that forgets its oldest lines."""

    def put_log_events(self, log_events: list[dict[str, Any]]) -> str:
        token = super().put_log_events(log_events)
        del self.events[:-KEPT]
        return token


class LogCalls(LogsResponse):
    def associate_kms_key(self) -> ActionResult:
        self._group().kms_key_id = self._get_param("kmsKeyId")
        return EmptyResult()

    def disassociate_kms_key(self) -> ActionResult:
        self._group().kms_key_id = None
        return EmptyResult()

    def _group(self) -> LogGroup:
        groups = logs_backends[self.current_account][self.region].groups
        name = self._get_param("logGroupName")
        if name not in groups:
            raise ResourceNotFoundException
        return groups[name]


def install() -> None:
    """Puts this file in moto's place."""
    use_model(LogStream, BoundedStream, models)
    use_response(urls, LogsResponse, LogCalls)
