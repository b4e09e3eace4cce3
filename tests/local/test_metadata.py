"""The metadata service, asked by hand and by botocore."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import botocore.session
import pytest
from botocore.utils import InstanceMetadataFetcher

from goldfleet.aws_session import DUMMY_ACCESS_KEY
from local.metadata import MAX_TTL, Facts, MetadataServer, Tokens
from local.processes import wait_until

FACTS = Facts(
    instance_id="i-0abc",
    local_ipv4="127.10.0.5",
    zone="eu-central-1b",
    region="eu-central-1",
    image_id="ami-1",
    tags={"Name": "clone", "goldfleet:stack": "local", "a/b": "cannot be asked for"},
    user_data='{"version": 1}',
    role="clone",
)
TTL = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}


@pytest.fixture
def server() -> Iterator[MetadataServer]:
    server = MetadataServer("127.0.0.1", FACTS, port=0)
    yield server
    server.close()


def ask(server: MetadataServer, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def get(server: MetadataServer, path: str) -> tuple[int, str]:
    _, token = ask(server, "PUT", "/latest/api/token", TTL)
    return ask(server, "GET", path, {"X-aws-ec2-metadata-token": token})


def test_without_a_token_nothing_is_told(server: MetadataServer) -> None:
    assert ask(server, "GET", "/latest/meta-data/instance-id") == (401, "")
    assert ask(server, "GET", "/latest/user-data", {"X-aws-ec2-metadata-token": "forged"}) == (401, "")


@pytest.mark.parametrize("ttl", ["", "0", "x", "-1", str(MAX_TTL + 1), "٣"])
def test_a_token_needs_a_time_to_live(server: MetadataServer, ttl: str) -> None:
    headers = {"X-aws-ec2-metadata-token-ttl-seconds": ttl.encode().decode("latin-1")} if ttl else {}
    assert ask(server, "PUT", "/latest/api/token", headers)[0] == 400


def test_a_request_through_a_proxy_gets_no_token(server: MetadataServer) -> None:
    assert ask(server, "PUT", "/latest/api/token", {**TTL, "X-Forwarded-For": "10.0.0.1"})[0] == 403


def test_a_token_ends() -> None:
    tokens = Tokens()
    token = tokens.issue(60, now=100)
    assert tokens.valid(token, now=159)
    assert not tokens.valid(token, now=161)
    assert not tokens.valid(None, now=100)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/latest/meta-data/instance-id", "i-0abc"),
        ("/latest/meta-data/local-ipv4", "127.10.0.5"),
        ("/latest/meta-data/placement/availability-zone", "eu-central-1b"),
        ("/latest/meta-data/placement/region", "eu-central-1"),
        ("/latest/meta-data/placement/", "availability-zone\nregion"),
        ("/latest/meta-data/ami-id", "ami-1"),
        ("/latest/meta-data/tags/instance/", "Name\ngoldfleet:stack"),
        ("/latest/meta-data/tags/instance/Name", "clone"),
        ("/latest/meta-data/iam/security-credentials/", "clone"),
        ("/latest/user-data", '{"version": 1}'),
    ],
)
def test_what_it_tells(server: MetadataServer, path: str, text: str) -> None:
    assert get(server, path) == (200, text)


def test_what_is_not_there_is_404(server: MetadataServer) -> None:
    assert get(server, "/latest/meta-data/nothing")[0] == 404
    server.facts = Facts("i-1", "127.0.0.1", "a", "b", "ami-1")
    assert get(server, "/latest/user-data")[0] == 404
    assert get(server, "/latest/meta-data/iam/security-credentials/")[0] == 404


def test_the_identity_document_names_the_instance(server: MetadataServer) -> None:
    document = json.loads(get(server, "/latest/dynamic/instance-identity/document")[1])
    assert (document["instanceId"], document["region"]) == ("i-0abc", "eu-central-1")


def test_botocore_gets_credentials_that_are_still_good(server: MetadataServer) -> None:
    session = botocore.session.Session()
    fetcher = InstanceMetadataFetcher(
        env={},
        user_agent=session.user_agent(),
        config={
            "ec2_metadata_service_endpoint": f"http://127.0.0.1:{server.server_address[1]}",
            "ec2_metadata_v1_disabled": True,
        },
    )
    found = fetcher.retrieve_iam_role_credentials()
    assert found["access_key"] == DUMMY_ACCESS_KEY
    assert datetime.fromisoformat(found["expiry_time"]) > datetime.now(UTC)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_runs_by_itself(tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps(asdict(FACTS)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "local.metadata", "--address", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([*command, "--facts", str(facts)], cwd=Path(__file__).parents[2])
    try:
        assert wait_until(lambda: listens(port) or process.poll() is not None, 20)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("PUT", "/latest/api/token", headers=TTL)
        assert connection.getresponse().status == 200
        connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
