"""Where AWS answers: clients for one loopback endpoint, made once per service."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from goldfleet.aws_session import Account, AwsSession

# How services say that something does not exist.
_MISSING = re.compile(r"NotFound|NoSuch|DoesNotExist|^404$|NonExistent", re.IGNORECASE)


def is_missing(error: ClientError) -> bool:
    """True if AWS says that what was asked for does not exist."""
    return bool(_MISSING.search(error.response.get("Error", {}).get("Code", "")))


class Aws:
    """One account, one region, one endpoint.

    Args:
        account: region and endpoint.
        default_tags: tags that every resource gets.
    """

    def __init__(self, account: Account, default_tags: Mapping[str, str]) -> None:
        self.region = account.region
        self.default_tags = dict(default_tags)
        self._session = AwsSession(account)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @cached_property
    def account_id(self) -> str:
        return str(self.call("sts", "get_caller_identity")["Account"])

    def client(self, service: str) -> Any:
        """The client of a service."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(service)
            return self._clients[service]

    def call(self, service: str, operation: str, **parameters: Any) -> Any:
        """Calls an operation by the name of the client's method."""
        return getattr(self.client(service), operation)(**parameters)

    def input_shape(self, service: str, operation: str) -> Any:
        """Botocore's shape of an operation's parameters."""
        client = self.client(service)
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
        return model.input_shape

    def arn(self, service: str, resource: str, *, account: bool = True, region: bool = True) -> str:
        """`arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`."""
        return f"arn:aws:{service}:{self.region if region else ''}:{self.account_id if account else ''}:{resource}"
