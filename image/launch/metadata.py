"""The instance metadata service, version 2 only.

Source: AWS, "Use the Instance Metadata Service to access instance metadata".
"""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from goldfleet.contract.deadlines import METADATA
from goldfleet.errors import ContractError

ENDPOINT_VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
DEFAULT_ENDPOINT = "http://169.254.169.254"
TOKEN_SECONDS = 300
ATTEMPTS = 6
FIRST_PAUSE = 0.1
ANSWER_LIMIT = 64 * 1024

# A proxy must never see the token: the service is on the link itself.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@dataclass(frozen=True)
class Clone:
    """Which clone this is, and what it was told."""

    instance_id: str
    zone: str
    address: str
    user_data: str


class Metadata:
    """Reads one clone's metadata; each call is retried up to `ATTEMPTS` times with growing pauses.

    Args:
        endpoint: URL of the service; None: from the environment, else the link-local address.
        sleep: waits that many seconds.
    """

    def __init__(self, endpoint: str | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._endpoint = (endpoint or os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT).rstrip("/")
        if not self._endpoint.startswith("http://"):
            raise ContractError(ENDPOINT_VARIABLE, f"'{self._endpoint}' is not http://", "leave it unset on AWS")
        self._sleep = sleep

    def clone(self) -> Clone:
        """All that the launcher and the sidecar ask for.

        Raises:
            ContractError: the service does not answer, or does not know what is asked.
        """
        seconds = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_SECONDS)}
        token = {"X-aws-ec2-metadata-token": self._call("PUT", "/latest/api/token", seconds)}
        return Clone(
            instance_id=self._call("GET", "/latest/meta-data/instance-id", token),
            zone=self._call("GET", "/latest/meta-data/placement/availability-zone", token),
            address=self._call("GET", "/latest/meta-data/local-ipv4", token),
            user_data=self._call("GET", "/latest/user-data", token),
        )

    def _call(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(FIRST_PAUSE * 2**attempt)
            url = self._endpoint + path
            request = urllib.request.Request(url, method=method, headers=dict(headers))  # noqa: S310  http:// only
            try:
                with _open(request, timeout=METADATA) as answer:
                    return str(answer.read(ANSWER_LIMIT).decode())
            except urllib.error.HTTPError as error:
                reason = f"HTTP {error.code}"
                if error.code in (401, 403, 404):
                    break
            except OSError as error:
                reason = str(error)
        raise ContractError(
            "instance metadata", f"{method} {path}: {reason}", "look at the instance's metadata options and user data"
        )
