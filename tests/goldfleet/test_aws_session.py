from __future__ import annotations

import pytest
from moto.server import ThreadedMotoServer

from goldfleet.aws_session import DUMMY_ACCOUNT, Account, AwsSession
from goldfleet.errors import GuardRefused


@pytest.mark.parametrize(
    "endpoint",
    ["https://ec2.eu-central-1.amazonaws.com", "http://10.0.0.1:4566", "http://localhost.example.org", "4566", ""],
)
def test_an_endpoint_that_is_not_loopback_is_refused(endpoint: str) -> None:
    with pytest.raises(GuardRefused, match="not a loopback address"):
        AwsSession(Account(DUMMY_ACCOUNT, "us-east-1", endpoint=endpoint))


def test_a_real_key_never_reaches_a_local_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    client = AwsSession(Account(DUMMY_ACCOUNT, "us-east-1", endpoint="http://127.0.0.1:1")).client("sts")
    assert client._request_signer._credentials.access_key == "goldfleet-local"


def test_another_account_than_the_stack_names_is_refused() -> None:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        AwsSession(Account(DUMMY_ACCOUNT, "us-east-1", endpoint=endpoint)).check()
        with pytest.raises(GuardRefused, match="names account 999999999999"):
            AwsSession(Account("999999999999", "us-east-1", endpoint=endpoint)).check()
    finally:
        server.stop()
