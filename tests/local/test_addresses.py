"""Addresses are pure: never outside the checkout's two networks, never the same for two services."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldfleet.errors import LocalCloudError
from local.addresses import control_address, control_endpoint, instance_address, service_address
from local.network_number import NUMBERS, choose_network, claimed_network

networks = st.sampled_from(NUMBERS)
private_ips = st.ip_addresses(v=4, network="10.20.0.0/16").map(str)


@given(networks, private_ips)
def test_an_instance_keeps_the_low_bytes_of_its_address(network: int, private_ip: str) -> None:
    low = private_ip.split(".")[2:]
    assert instance_address(network, private_ip).split(".") == ["127", str(network), *low]


@given(networks, private_ips, private_ips)
def test_two_instances_of_a_network_never_meet(network: int, one: str, other: str) -> None:
    assert (instance_address(network, one) == instance_address(network, other)) == (one == other)


@given(networks, st.lists(st.text(min_size=1), unique=True, max_size=20))
def test_services_have_addresses_of_their_own(network: int, names: list[str]) -> None:
    taken: set[str] = set()
    for name in names:
        address = service_address(network, name, taken)
        assert address not in taken | {control_address(network)}
        assert ipaddress.ip_address(address) in ipaddress.ip_network(f"127.{network + 1}.0.0/16")
        taken.add(address)


@given(networks, st.text())
def test_a_service_has_the_same_address_every_time(network: int, name: str) -> None:
    assert service_address(network, name, ()) == service_address(network, name, ())


@given(networks, st.text())
def test_a_taken_address_is_passed_over(network: int, name: str) -> None:
    first = service_address(network, name, ())
    assert service_address(network, name, {first}) != first


def test_the_control_plane_has_the_first_address_of_the_service_network() -> None:
    assert control_endpoint(10) == "http://127.11.0.1:4566"


def test_a_checkout_gets_the_same_network_every_time(tmp_path: Path) -> None:
    assert choose_network(tmp_path, lambda _: True) == choose_network(tmp_path, lambda _: True)
    assert choose_network(tmp_path, lambda _: True) in NUMBERS


def test_a_taken_network_is_passed_over(tmp_path: Path) -> None:
    first = choose_network(tmp_path, lambda _: True)
    assert choose_network(tmp_path, lambda number: number != first) not in {first}


def test_two_runs_that_start_in_the_same_moment_get_two_networks(tmp_path: Path) -> None:
    with claimed_network(tmp_path) as first:
        with claimed_network(tmp_path) as second:
            assert second != first
        assert choose_network(tmp_path) != first
    assert choose_network(tmp_path) == first


def test_no_network_left_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="every network"):
        choose_network(tmp_path, lambda _: False)
