"""A customer managed key, rotated every year."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.policies import Policy


@dataclass(frozen=True)
class EncryptionKeyArgs:
    """What a key is for.

    Args:
        alias: name of the key, without `alias/`.
        description: what it encrypts.
        policy: its key policy.
    """

    alias: str
    description: str
    policy: Policy


class EncryptionKey(pulumi.ComponentResource):
    """A key and its alias; a deleted key can be had back for 30 days."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: EncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:EncryptionKey", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        key = aws.kms.Key(
            f"{name}-key",
            description=args.description,
            policy=json.dumps(args.policy, sort_keys=True),
            enable_key_rotation=True,
            deletion_window_in_days=30,
            opts=child,
        )
        aws.kms.Alias(f"{name}-alias", name=f"alias/{args.alias}", target_key_id=key.key_id, opts=child)
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})
