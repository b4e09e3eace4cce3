"""Calls that AWS asks to repeat: bounded, with growing pauses. Every call of the registry may be made twice.

Source: AWS, EBS direct APIs reference, "PutSnapshotBlock": retry 5xx, ThrottlingException and
RequestThrottledException. That a snapshot is not known yet for up to two minutes after its start, and that the wait is
the cure: awslabs/coldsnap, issue 43. CONFLICTING_BLOCK_UPDATE: two writers of one block, here with the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

import botocore.exceptions

from goldfleet.errors import ReleaseError

PAUSES = (0.2, 0.5, 1, 2, 4, 8, *[10] * 10)
"""Seconds before each further attempt: about two minutes in all. The SDK's own attempts are within each of ours."""
_THROTTLED = frozenset(
    {
        "ConcurrentLimitExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    }
)
_PASSING_REASONS = frozenset({"CONFLICTING_BLOCK_UPDATE", "SNAPSHOT_NOT_FOUND", "WRITE_REQUEST_TIMEOUT"})
_NOT_THERE = 501

Answer = TypeVar("Answer")


def patiently(sleep: Callable[[float], None], call: Callable[..., Answer], **parameters: Any) -> Answer:
    """Makes an AWS call, again if AWS says that it may work later.

    Args:
        sleep: waits that many seconds; what it raises ends the attempts.
        call: method of a boto3 client.
        parameters: the call's.

    Raises:
        ReleaseError: it still does not work after the last attempt.
        botocore.exceptions.ClientError: AWS refuses the call itself.
    """
    for pause in (*PAUSES, None):
        try:
            return call(**parameters)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            if not may_pass(error):
                raise
            if pause is None:
                what = f"{error}, after {len(PAUSES) + 1} attempts"
                raise ReleaseError("AWS", what, "run the same command again later: what was sent is kept") from error
        sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  spreads attempts, no secret
    raise AssertionError("the last attempt returns or raises")


def may_pass(error: Exception) -> bool:
    """True if the same call may work later."""
    if not isinstance(error, botocore.exceptions.ClientError):
        return isinstance(error, botocore.exceptions.HTTPClientError | botocore.exceptions.ConnectionError)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return (
        error.response["Error"]["Code"] in _THROTTLED
        or error.response.get("Reason") in _PASSING_REASONS
        or (status >= 500 and status != _NOT_THERE)
    )
