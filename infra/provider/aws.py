"""The provider's door to AWS: opened by Configure, which checks whose account it is before anything else is called."""

from __future__ import annotations

from typing import Any

from goldfleet.aws_session import Account, AwsSession
from goldfleet.errors import GuardRefused
from goldfleet.servicer import Values


class Aws:
    """boto3 clients for the resources; closed until `configure`."""

    def __init__(self) -> None:
        self._session: AwsSession | None = None

    def configure(self, config: Values) -> None:
        """Opens the door.

        Args:
            config: the provider's inputs `region`, `accountId`, `endpoint`, `profile`.

        Raises:
            GuardRefused: an input is missing, the endpoint is not a loopback address, or the caller's account is not
                the one that the stack names.
        """
        missing = [name for name in ("region", "accountId") if not isinstance(config.get(name), str)]
        if missing:
            raise GuardRefused("provider goldfleet", f"{' and '.join(missing)} not set", "use infra.provider.resources")
        session = AwsSession(
            Account(config["accountId"], config["region"], config.get("endpoint"), config.get("profile"))
        )
        session.check()
        self._session = session

    @property
    def local(self) -> bool:
        """Whether a control plane on a loopback address answers in AWS's place."""
        return self._open().account.endpoint is not None

    def client(self, service: str) -> Any:
        """A boto3 client of `service`."""
        return self._open().client(service)

    def _open(self) -> AwsSession:
        if self._session is None:
            raise GuardRefused("provider goldfleet", "it is not configured", "use infra.provider.resources.Provider")
        return self._session
