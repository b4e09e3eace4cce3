"""A user name and a generated password, kept in Secrets Manager."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from infra.after import after

PASSWORD_LENGTH = 40
RECOVERY_DAYS = 7


@dataclass(frozen=True)
class CredentialsArgs:
    """Whose credentials.

    Args:
        username: the role's or user's name.
        secret_name: head of the secret's name; AWS keeps a deleted secret's name for a week, so it gets a unique tail.
        description: what they open.
        key_arn: the key that encrypts the secret.
    """

    username: str
    secret_name: str
    description: str
    key_arn: pulumi.Input[str]


class Credentials(pulumi.ComponentResource):
    """A secret `{"username", "password"}`."""

    username: str
    password: pulumi.Output[str]
    secret_arn: pulumi.Output[str]

    def __init__(self, name: str, args: CredentialsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Credentials", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        password = random.RandomPassword(f"{name}-password", length=PASSWORD_LENGTH, special=False, opts=child)
        secret = aws.secretsmanager.Secret(
            f"{name}-secret",
            name_prefix=f"{args.secret_name}-",
            description=args.description,
            kms_key_id=args.key_arn,
            recovery_window_in_days=RECOVERY_DAYS,
            opts=child,
        )
        version = aws.secretsmanager.SecretVersion(
            f"{name}-version",
            secret_id=secret.id,
            secret_string=pulumi.Output.json_dumps({"username": args.username, "password": password.result}),
            opts=child,
        )
        self.username = args.username
        self.password = password.result
        self.secret_arn = after(secret.arn, version)
        self.register_outputs({"secret_arn": self.secret_arn})
