from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from goldfleet.contract.environment import ShardAccess, StoreAccess
from goldfleet.contract.stores import Endpoint
from goldfleet.state.access import read_password, tls_for
from goldfleet.state.connections import settings
from goldfleet.state.link import link_to


@pytest.mark.parametrize("host", ["db.example.org", "10.0.0.5", "localhost"])
def test_what_leaves_the_machine_is_encrypted_and_verified(host: str) -> None:
    context = tls_for(host)
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    link: Any = link_to(StoreAccess(Endpoint(host, 6379), "app", "/nowhere"), context, 1.0)
    store = link.ssl_context.get()
    assert (store.verify_mode, store.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert settings(ShardAccess(Endpoint(host, 5432), "d", "u", "/nowhere", "/nowhere"), Endpoint(host, 5432))["ssl"]


def test_loopback_is_spoken_to_in_clear() -> None:
    assert tls_for("127.3.0.1") is None


def test_a_password_file_may_end_in_a_line_break(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" secret \n")
    assert read_password(str(file)) == " secret "
