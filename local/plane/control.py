"""The data plane's door to the control plane: boto3, and the calls under `/_local/`."""

from __future__ import annotations

import json
import urllib.request
from functools import cache
from typing import Any

from goldfleet.aws_session import DUMMY_ACCOUNT, Account, AwsSession
from goldfleet.errors import LocalCloudError

_ANSWER = 10.0


class Control:
    """One control plane.

    Args:
        endpoint: its URL.
        region: whose resources the data plane runs.
    """

    def __init__(self, endpoint: str, region: str) -> None:
        self._endpoint = endpoint
        self.region = region
        self._session = AwsSession(Account(DUMMY_ACCOUNT, region, endpoint))
        self.client = cache(self._session.client)

    def version_after(self, version: int, timeout: float) -> int:
        """Waits at most `timeout` seconds for a change after `version`; returns the version then."""
        path = f"changes?after={version}&timeout={timeout}"
        return int(self.call("GET", path, timeout=timeout + _ANSWER)["version"])

    def passwords(self) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", "passwords")
        return found

    def report(self, what: str, content: Any) -> None:
        """Tells what really is; `what` is `stores`, `impaired`, `targets`, `instances` or `metrics`."""
        self.call("POST", what, json.dumps(content).encode())

    def call(self, method: str, path: str, body: bytes | None = None, timeout: float = _ANSWER) -> Any:
        """Calls `/_local/PATH`; returns the JSON of the answer.

        Args:
            method: of HTTP.
            path: with its query, without the slash before it.
            body: JSON.
            timeout: in seconds.

        Raises:
            LocalCloudError: there is no answer, or it is an error.
        """
        url = f"{self._endpoint}/_local/{path}"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310  a loopback address
                return json.load(answer)
        except (OSError, ValueError) as error:
            raise LocalCloudError("control plane", f"{method} /_local/{path}: {error}", "read control.log") from error
