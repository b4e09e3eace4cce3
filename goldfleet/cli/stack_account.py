"""The door to a stack's AWS: the local cloud's endpoint, or the account that the settings name."""

from __future__ import annotations

import yaml

from goldfleet.aws_session import Account, AwsSession
from goldfleet.cli import local_cloud
from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.settings_file import SettingsFile
from goldfleet.contract.names import Names
from goldfleet.errors import SettingsError
from infra.settings import Settings

LOCAL = "local"


def settings_of(stack: str) -> SettingsFile:
    """The stack's settings file; for `local` with the endpoint that this checkout's control plane has, or will have.

    Raises:
        SettingsError: there is no such stack.
    """
    endpoint = local_cloud.endpoint() if stack == LOCAL else None
    return SettingsFile(CHECKOUT, stack, endpoint)


def session_of(settings: Settings) -> AwsSession:
    """A session for the stack's account, checked.

    Raises:
        LocalCloudError: the local cloud does not run.
        GuardRefused: the credentials belong to another account.
    """
    if settings.stack == LOCAL:
        local_cloud.require_running()
    aws = settings.aws
    session = AwsSession(Account(aws.account_id, aws.region, aws.endpoint, aws.profile))
    session.check()
    return session


def names_of(settings: Settings) -> Names:
    """Names of the stack's resources."""
    return Names(project_name(), settings.stack)


def project_name() -> str:
    """The project's name, which every AWS name starts with.

    Raises:
        SettingsError: `Pulumi.yaml` does not tell it.
    """
    path = CHECKOUT / "Pulumi.yaml"
    try:
        return str(yaml.safe_load(path.read_text())["name"])
    except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
        raise SettingsError(path.name, "does not name the project", "give it `name: goldfleet`") from error
