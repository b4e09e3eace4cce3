"""S3: a bucket policy that refuses plain HTTP does not lock its owner out here, where everything is loopback.

AWS, "Security best practices for Amazon S3": Deny with the condition Bool `aws:SecureTransport` false. moto does not
know the condition and would take the statement for an unconditional Deny. The policy is kept and shown as it is.
"""

from __future__ import annotations

import json
from typing import Any

from moto.s3 import models
from moto.s3.models import FakeBucket

from local.control.extend import use_model


class LoopbackBucket(FakeBucket):
    """A bucket that is reached over loopback, which counts as a secure transport."""

    def get_permission(self, action: str, resource: str) -> Any:
        written = self.policy
        try:
            self.policy = None if written is None else _as_over_tls(written)
            return super().get_permission(action, resource)
        finally:
            self.policy = written


def _as_over_tls(policy: bytes) -> bytes:
    document = json.loads(policy)
    kept = [statement for statement in document["Statement"] if not _is_about_plain_http(statement)]
    return json.dumps({**document, "Statement": kept}).encode()


def _is_about_plain_http(statement: dict[str, Any]) -> bool:
    condition = statement.get("Condition", {}).get("Bool", {})
    return str(condition.get("aws:SecureTransport", "")).lower() == "false"


def install() -> None:
    """Puts this file in moto's place."""
    use_model(FakeBucket, LoopbackBucket, models)
