"""Which AWS calls are made again, how often, and how long the pauses are."""

from __future__ import annotations

from typing import Any

import botocore.exceptions
import pytest

from goldfleet.errors import ReleaseError
from image.registry.retry import PAUSES, may_pass, patiently


def refused(code: str, status: int = 400, **more: str) -> botocore.exceptions.ClientError:
    answer: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return botocore.exceptions.ClientError(answer, "PutSnapshotBlock")


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (refused("RequestThrottledException"), True),
        (refused("ThrottlingException"), True),
        (refused("RequestLimitExceeded", 503), True),
        (refused("InternalServerException", 500), True),
        (refused("ServiceUnavailable", 503), True),
        (refused("NotImplemented", 501), False),
        (refused("ResourceNotFoundException", 404, Reason="SNAPSHOT_NOT_FOUND"), True),
        (refused("ValidationException", Reason="CONFLICTING_BLOCK_UPDATE"), True),
        (refused("ValidationException", Reason="INVALID_BLOCK"), False),
        (refused("AccessDeniedException", 403), False),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="http://x"), True),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="http://x"), True),
        (botocore.exceptions.NoCredentialsError(), False),
    ],
)
def test_what_may_pass_is_tried_again(error: Exception, passes: bool) -> None:
    assert may_pass(error) == passes


def test_attempts_are_bounded_and_further_and_further_apart() -> None:
    slept: list[float] = []

    def call() -> None:
        raise refused("RequestThrottledException")

    with pytest.raises(ReleaseError, match="run the same command again later: what was sent is kept"):
        patiently(slept.append, call)
    assert len(slept) == len(PAUSES)
    assert all(0.5 * pause <= one <= 1.5 * pause for one, pause in zip(slept, PAUSES, strict=True))
    assert list(PAUSES) == sorted(PAUSES)
    assert 90 <= sum(PAUSES) <= 180


def test_what_works_at_last_is_answered_and_a_refusal_is_raised_at_once() -> None:
    answers: list[Any] = [refused("SlowDown", 503), "done"]

    def call(**_: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert patiently(lambda _: None, call, SnapshotId="snap-1") == "done"
    answers[:] = [refused("ValidationException")]
    with pytest.raises(botocore.exceptions.ClientError, match="ValidationException"):
        patiently(lambda _: pytest.fail("waited"), call)
