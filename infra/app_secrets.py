"""Secrets that a person gives the app: the program makes their places, the person fills them in Secrets Manager."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from goldfleet.contract.names import Names
from infra.credentials import RECOVERY_DAYS
from infra.settings.app import App as AppSettings


@dataclass(frozen=True)
class AppSecretsArgs:
    """Which secrets: `names` of the stack, `key_arn` that encrypts them, and the component's `settings`."""

    names: Names
    key_arn: pulumi.Input[str]
    settings: AppSettings


class AppSecrets(pulumi.ComponentResource):
    """One empty secret per name; `arns` by name."""

    arns: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: AppSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:AppSecrets", name, None, opts)
        self.arns = {
            secret: aws.secretsmanager.Secret(
                f"{name}-{secret}",
                name_prefix=f"{args.names.secret('app', secret)}-",
                description=f"The app's secret {secret}",
                kms_key_id=args.key_arn,
                recovery_window_in_days=RECOVERY_DAYS,
                opts=pulumi.ResourceOptions(parent=self),
            ).arn
            for secret in args.settings.secrets
        }
        self.register_outputs({"arns": self.arns})
