"""The two things a clone asks AWS for: secrets and parameters. Credentials come from the instance's role alone."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.session

from goldfleet.contract.clone import UserData
from goldfleet.contract.deadlines import METADATA
from goldfleet.errors import ContractError

CONFIG = botocore.config.Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 5}
)


@dataclass(frozen=True)
class Login:
    """A role of a database or a user of a store, with its password."""

    username: str
    password: str


class Aws:
    """botocore clients in the clone's region, at the endpoint its user data names.

    Raises:
        ContractError: that endpoint is neither a loopback nor a link-local address.
    """

    def __init__(self, user_data: UserData) -> None:
        if user_data.aws_endpoint is not None and not _stays_on_link(user_data.aws_endpoint):
            raise ContractError(
                "user data: aws_endpoint",
                f"'{user_data.aws_endpoint}' is not a loopback or link-local address",
                "leave it out: then AWS itself is asked",
            )
        self._endpoint = user_data.aws_endpoint
        self._region = user_data.region
        self._session = botocore.session.Session()
        self._session.register_component("credential_provider", self._instance_role())

    def client(self, service: str) -> Any:
        """A botocore client of `service` with bounded connects, reads and retries."""
        return self._session.create_client(service, self._region, endpoint_url=self._endpoint, config=CONFIG)

    def _instance_role(self) -> botocore.credentials.CredentialResolver:
        fetcher = botocore.credentials.InstanceMetadataFetcher(
            timeout=METADATA,
            num_attempts=5,
            user_agent=self._session.user_agent(),
            config={
                "ec2_metadata_service_endpoint": self._session.get_config_variable("ec2_metadata_service_endpoint"),
                "ec2_metadata_v1_disabled": True,
            },
        )
        provider = botocore.credentials.InstanceMetadataProvider(iam_role_fetcher=fetcher)
        return botocore.credentials.CredentialResolver([provider])


def _stays_on_link(url: str) -> bool:
    """True for an address that no router forwards: credentials in clear get no further than this machine's host."""
    try:
        address = ipaddress.ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return address.is_loopback or address.is_link_local


class Clients(Protocol):
    """What makes clients of AWS's services: `Aws` on a clone, a session where a person works."""

    def client(self, service: str) -> Any:
        """A client of `service`."""


class Secrets:
    """Secrets Manager, by secret id. No value ever appears in an error."""

    def __init__(self, aws: Clients) -> None:
        self._client = aws.client("secretsmanager")

    def text(self, secret: str) -> str:
        """The secret's value.

        Raises:
            ContractError: there is none, or it may not be read.
        """
        try:
            return str(self._client.get_secret_value(SecretId=secret)["SecretString"])
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError, KeyError) as error:
            raise _unreadable(f"secret {secret}", error) from error

    def login(self, secret: str) -> Login:
        """The value of a secret `{"username", "password"}`."""
        text = self.text(secret)
        try:
            value = json.loads(text)
            return Login(value["username"], value["password"])
        except (ValueError, KeyError, TypeError):
            # The cause would show the secret's text.
            raise ContractError(
                f"secret {secret}", "is not JSON with username and password", "write it again by `pulumi up`"
            ) from None


def replicas(client: Any, parameter: str) -> str:
    """The list of replicas as JSON text, as the SSM parameter holds it.

    Args:
        client: of SSM.
        parameter: its name; empty: there are no replicas.

    Raises:
        ContractError: it cannot be read, or is not a JSON list of strings.
    """
    if not parameter:
        return "[]"
    try:
        text = str(client.get_parameter(Name=parameter)["Parameter"]["Value"])
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise _unreadable(f"parameter {parameter}", error) from error
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ContractError(f"parameter {parameter}", "is not a JSON list of host:port", "write it by `pulumi up`")
    return json.dumps(value)


def _unreadable(where: str, error: Exception) -> ContractError:
    return ContractError(where, f"cannot be read ({error})", "look at the policy of the instance's role")
