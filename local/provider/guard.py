"""What the provider is told before all else, and what it refuses: any endpoint but this machine's, any key but the
dummy one, any account but those that the program allows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from goldfleet.aws_session import DUMMY_ACCESS_KEY, DUMMY_ACCOUNT, Account, require_loopback
from goldfleet.errors import GuardRefused
from goldfleet.servicer import Values
from local.provider.aws import Aws

WHERE = "the local provider aws"
WAY_OUT = "use the stack `local`, or install the plugin of pulumi-aws for any other"


def configured(config: Values, environment: Mapping[str, str] = os.environ) -> Aws:
    """Where AWS answers.

    Args:
        config: inputs of the program's `aws.Provider`.
        environment: variables of this process.

    Raises:
        GuardRefused: no endpoint, or one that is not a loopback address; keys that could open something; an account
            that is not allowed.
    """
    endpoint = _endpoint(config)
    _refuse_keys(config, environment)
    account = Account(DUMMY_ACCOUNT, str(config.get("region") or ""), endpoint)
    aws = Aws(account, (config.get("defaultTags") or {}).get("tags") or {})
    _refuse_account(config, aws)
    return aws


def _endpoint(config: Values) -> str:
    endpoints = {url for entry in config.get("endpoints") or () for url in entry.values() if url}
    for url in sorted(endpoints):
        require_loopback(url)
    if len(endpoints) != 1:
        found = ", ".join(sorted(endpoints)) or "none"
        raise GuardRefused(WHERE, f"needs one endpoint for all services, found {found}", WAY_OUT)
    return str(endpoints.pop())


def _refuse_keys(config: Values, environment: Mapping[str, str]) -> None:
    keys = (config.get("accessKey"), environment.get("AWS_ACCESS_KEY_ID"))
    if any(key not in (None, "", DUMMY_ACCESS_KEY) for key in keys):
        raise GuardRefused(WHERE, "was given an access key that is not the local one", WAY_OUT)
    for name in ("profile", "token", "assumeRoles", "assumeRoleWithWebIdentity"):
        if config.get(name):
            raise GuardRefused(WHERE, f"takes no {name}", WAY_OUT)


def _refuse_account(config: Values, aws: Aws) -> None:
    allowed: Any = config.get("allowedAccountIds")
    if allowed and aws.account_id not in allowed:
        what = f"the endpoint answers for account {aws.account_id}, the program allows {', '.join(allowed)}"
        raise GuardRefused(WHERE, what, "start the local cloud of this stack, or put aws.account_id right")
