"""What a guest finds on its network, and what it is told."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from goldfleet.contract.clone import Shard, Store, UserData
from goldfleet.contract.stores import Endpoint, needs_tls
from goldfleet.errors import LocalCloudError
from local.machine.network import GUEST, METADATA, NETWORK, ROUTER, Speaks, guest_network

OUTSIDE = UserData(
    project="p",
    stack="s",
    region="r",
    public_url="http://x",
    log_group="g",
    shards=tuple(Shard(Endpoint(f"127.11.1.{n}", 5432), "d", "owner", "app", "replicas") for n in (1, 2, 3)),
    sessions=Store(Endpoint("127.11.2.1", 6379), "sessions"),
    cache=Store(Endpoint("127.11.2.2", 6379), "cache"),
    app_environment={"COLOUR": "blue"},
    aws_endpoint="http://127.11.0.1:4566",
)
GIVEN = guest_network(OUTSIDE, Endpoint("127.10.0.5", 8169), "PEM")


def test_every_address_is_on_the_guests_link_and_nobodys_else() -> None:
    inside = [service.inside.host for service in GIVEN.services]
    assert all(ipaddress.ip_address(host) in ipaddress.ip_network(NETWORK) for host in inside)
    assert len({*inside, GUEST, ROUTER}) == len(inside) + 2


def test_each_store_that_is_told_leads_to_the_one_that_was_meant() -> None:
    led = {service.inside: service.outside for service in GIVEN.services}
    told = GIVEN.user_data
    assert [led[shard.main] for shard in told.shards] == [shard.main for shard in OUTSIDE.shards]
    assert led[told.sessions.primary] == OUTSIDE.sessions.primary
    assert led[told.cache.primary] == OUTSIDE.cache.primary
    assert led[METADATA] == Endpoint("127.10.0.5", 8169)
    assert told.aws_endpoint == "http://169.254.1.1:4566"
    assert led[Endpoint("169.254.1.1", 4566)] == Endpoint("127.11.0.1", 4566)


def test_stores_speak_tls_since_the_app_demands_it_there() -> None:
    speaks = {service.inside: service.speaks for service in GIVEN.services}
    told = GIVEN.user_data
    assert {speaks[shard.main] for shard in told.shards} == {Speaks.POSTGRESQL}
    assert speaks[told.sessions.primary] == speaks[told.cache.primary] == Speaks.TLS
    assert needs_tls(told.sessions.primary.host)


def test_nothing_else_of_the_user_data_changes() -> None:
    back = replace(
        GIVEN.user_data,
        shards=OUTSIDE.shards,
        sessions=OUTSIDE.sessions,
        cache=OUTSIDE.cache,
        aws_endpoint=OUTSIDE.aws_endpoint,
        authorities="",
    )
    assert back == OUTSIDE
    assert GIVEN.user_data.authorities == "PEM"


def test_user_data_of_aws_itself_is_refused() -> None:
    with pytest.raises(LocalCloudError, match="local cloud"):
        guest_network(replace(OUTSIDE, aws_endpoint=None), Endpoint("127.10.0.5", 8169), "")
