"""Rows against a control plane of their own, without an engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from goldfleet.aws_session import DUMMY_ACCOUNT, Account
from local.provider.aws import Aws
from tests.local.control.running import running_control
from tests.local.provider.ground import Ground, Rows

REGION = "eu-central-1"


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where AWS answers."""
    with running_control(tmp_path_factory.mktemp("control")) as control:
        yield control.endpoint


@pytest.fixture(scope="session")
def aws(endpoint: str) -> Aws:
    """A connection without default tags."""
    return Aws(Account(DUMMY_ACCOUNT, REGION, endpoint), {})


@pytest.fixture(scope="session")
def rows(aws: Aws) -> Rows:
    """The resource types, by their short names."""
    return Rows(aws)


@pytest.fixture(scope="session")
def ground(aws: Aws) -> Ground:
    """What other resources stand on."""
    return Ground.made(aws)
