"""A log group as every component makes it: encrypted, kept for the same time."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class LogKeeping:
    """How log groups are kept.

    Args:
        key_arn: the key that encrypts them.
        days: how long lines are kept, in days.
    """

    key_arn: pulumi.Input[str]
    days: int


def log_group(name: str, path: str, keeping: LogKeeping, opts: pulumi.ResourceOptions) -> aws.cloudwatch.LogGroup:
    """Makes the log group `path`."""
    return aws.cloudwatch.LogGroup(
        name, name=path, kms_key_id=keeping.key_arn, retention_in_days=keeping.days, opts=opts
    )
