"""The one door to AWS: account, region, endpoint and credentials, checked before anything else is called.

Locally `endpoint` is a loopback address and the keys are the dummy ones; a real key is refused there, and a
loopback endpoint never gets one. On AWS the caller's account must be the one that the stack names.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.config

from goldfleet.errors import GuardRefused

DUMMY_ACCOUNT = "123456789012"
DUMMY_ACCESS_KEY = "goldfleet-local"
DUMMY_SECRET_KEY = "goldfleet-local"  # noqa: S105  known to everybody, opens nothing


@dataclass(frozen=True)
class Account:
    """Which AWS a stack belongs to.

    Args:
        account_id: twelve digits; the caller must belong to it.
        region: for example `eu-central-1`.
        endpoint: URL of a local control plane, or None for AWS itself.
        profile: name of a profile in the shared configuration, or None for the default credentials.
    """

    account_id: str
    region: str
    endpoint: str | None = None
    profile: str | None = None


class AwsSession:
    """Makes boto3 clients for one account, after `check`.

    Raises:
        GuardRefused: at construction, if the endpoint is not a loopback address or has real keys beside it.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self._clients: dict[str, Any] = {}
        if account.endpoint is None:
            self._session = boto3.Session(profile_name=account.profile, region_name=account.region)
        else:
            require_loopback(account.endpoint)
            self._session = boto3.Session(DUMMY_ACCESS_KEY, DUMMY_SECRET_KEY, region_name=account.region)

    def client(self, service: str) -> Any:
        """A boto3 client of `service` with bounded connects, reads and retries; the same one each time."""
        if service not in self._clients:
            self._clients[service] = self._new_client(service)
        return self._clients[service]

    def _new_client(self, service: str) -> Any:
        local = self.account.endpoint is not None
        config = botocore.config.Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"total_max_attempts": 1} if local else {"mode": "standard", "total_max_attempts": 6},
            s3={"addressing_style": "path"} if local else None,
        )
        return self._session.client(service, endpoint_url=self.account.endpoint, config=config)

    def check(self) -> None:
        """Raises GuardRefused unless the caller belongs to the account that the stack names."""
        caller = self.client("sts").get_caller_identity()["Account"]
        if caller != self.account.account_id:
            raise GuardRefused(
                "aws.account_id",
                f"the stack names account {self.account.account_id}, the credentials belong to {caller}",
                "use credentials of the stack's account, or another stack",
            )


def require_loopback(endpoint: str) -> None:
    """Raises GuardRefused unless the URL's host is a loopback address."""
    host = urlsplit(endpoint).hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise GuardRefused(
            "aws.endpoint",
            f"'{endpoint}' is not a loopback address",
            "leave the setting out to use AWS, or start the local cloud with `goldfleet up`",
        )
