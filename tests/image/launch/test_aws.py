"""Where a clone may ask in AWS's place: nowhere beyond its own link."""

from __future__ import annotations

from dataclasses import replace

import pytest

from goldfleet.errors import ContractError
from image.launch.aws import Aws
from tests.image.told import Told


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:4566", "http://[::1]:4566", "http://169.254.1.1:4566"])
def test_aws_itself_or_an_address_that_no_router_forwards(told: Told, endpoint: str | None) -> None:
    client = Aws(replace(told.user_data, aws_endpoint=endpoint)).client("ssm")
    assert client.meta.endpoint_url == (endpoint or "https://ssm.eu-central-1.amazonaws.com")


@pytest.mark.parametrize(
    "endpoint",
    ["http://10.0.0.1:4566", "http://169.254.1.1.example.org", "http://localhost:4566", "169.254.1.1:4566", ""],
)
def test_everything_else_is_refused(told: Told, endpoint: str) -> None:
    with pytest.raises(ContractError, match="is not a loopback or link-local address"):
        Aws(replace(told.user_data, aws_endpoint=endpoint))
