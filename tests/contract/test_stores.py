from __future__ import annotations

import pytest

from goldfleet.contract.stores import Endpoint, needs_tls


@pytest.mark.parametrize("host", ["127.0.0.1", "127.40.3.9", "::1"])
def test_loopback_addresses_may_be_spoken_to_in_clear(host: str) -> None:
    assert not needs_tls(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "8.8.8.8", "localhost", "127.0.0.1.example.org", "", "db.internal"])
def test_anything_else_needs_tls_even_if_it_might_resolve_to_loopback(host: str) -> None:
    assert needs_tls(host)


def test_an_endpoint_reads_as_host_and_port() -> None:
    assert str(Endpoint("db", 5432)) == "db:5432"
    assert str(Endpoint("::1", 5432)) == "[::1]:5432"
