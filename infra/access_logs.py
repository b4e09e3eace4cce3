"""Where the balancer's access logs go: a bucket that is locked, encrypted and expiring.

Load balancers deliver to buckets under SSE-S3 only, and to none with object lock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from goldfleet.contract.names import Names
from infra import policies


@dataclass(frozen=True)
class AccessLogsArgs:
    """How logs are kept.

    Args:
        names: names of the stack.
        account_id: the account whose balancers may deliver.
        days: how long logs are kept, in days.
        keep: whether a bucket that holds logs is kept from deletion.
    """

    names: Names
    account_id: str
    days: int
    keep: bool


class AccessLogs(pulumi.ComponentResource):
    """The bucket; `bucket` is its name once delivery is allowed."""

    bucket: pulumi.Output[str]

    def __init__(self, name: str, args: AccessLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:AccessLogs", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            bucket=args.names.of("access-logs", args.account_id),
            force_destroy=not args.keep,
            opts=self._child,
        )
        self._lock(bucket.id)
        self._expire(bucket.id)
        self.bucket = self._policy(bucket).bucket
        self.register_outputs({"bucket": self.bucket})

    def _lock(self, bucket: pulumi.Output[str]) -> None:
        self._block = aws.s3.BucketPublicAccessBlock(
            f"{self._name}-block",
            bucket=bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        aws.s3.BucketOwnershipControls(
            f"{self._name}-ownership",
            bucket=bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=self._child,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-encryption",
            bucket=bucket,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=self._child,
        )

    def _expire(self, bucket: pulumi.Output[str]) -> None:
        versioning = aws.s3.BucketVersioning(
            f"{self._name}-versioning",
            bucket=bucket,
            versioning_configuration={"status": "Enabled"},
            opts=self._child,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{self._name}-expiry",
            bucket=bucket,
            rules=[
                {
                    "id": "expire",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": self._args.days},
                    "noncurrent_version_expiration": {"noncurrent_days": 1},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
                }
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )

    def _policy(self, bucket: aws.s3.Bucket) -> aws.s3.BucketPolicy:
        account_id = self._args.account_id
        return aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=bucket.id,
            policy=bucket.arn.apply(lambda arn: json.dumps(policies.access_log_bucket(arn, account_id))),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._block]),
        )
