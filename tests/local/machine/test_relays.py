"""Connections through the door: handed over as QEMU does it, in TLS where AWS's stores are."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from goldfleet.contract.stores import Endpoint
from local import certificates
from local.machine import qemu
from local.machine.network import Service, Speaks
from local.machine.relays import Relays

ASK_FOR_TLS = (8).to_bytes(4) + (80877103).to_bytes(4)
INSIDE = {speaks: Endpoint(f"169.254.1.{n}", 6379) for n, speaks in enumerate(Speaks, 1)}


@pytest.fixture
def echo() -> Iterator[Endpoint]:
    """A server that says everything again, in capitals."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_echo_all, args=(listening,), daemon=True).start()
        yield Endpoint(*listening.getsockname())
        listening.shutdown(socket.SHUT_RDWR)


def _echo_all(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            while said := connection.recv(1000):
                connection.sendall(said.upper())


@pytest.fixture
def relays(tmp_path: Path, echo: Endpoint) -> Iterator[Relays]:
    """Relays whose door has a longer path than a socket may have."""
    home = tmp_path / ("long" * 30)
    home.mkdir()
    services = [Service(inside, echo, speaks) for speaks, inside in INSIDE.items()]
    gone = Service(Endpoint("169.254.1.9", 1), Endpoint("127.0.0.1", 1), Speaks.CLEAR)
    with closing(Relays([*services, gone], tmp_path, home)) as relays:
        yield relays


def connect(relays: Relays, inside: object) -> socket.socket:
    """A connection of the guest to an address of its link."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    with theirs:
        command = (sys.executable, "-I", "-S", str(qemu.DOOR), str(relays.door), str(inside))
        subprocess.run(command, stdin=theirs.fileno(), check=True, timeout=20)
    return ours


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=certificates.authority(folder))


def test_what_is_clear_is_carried_as_it_is(relays: Relays) -> None:
    with connect(relays, INSIDE[Speaks.CLEAR]) as guest:
        guest.sendall(b"hello")
        assert guest.recv(100) == b"HELLO"


def test_tls_at_once_with_a_certificate_for_the_guests_address(relays: Relays, tmp_path: Path) -> None:
    inside = INSIDE[Speaks.TLS]
    with trusting(tmp_path).wrap_socket(connect(relays, inside), server_hostname=inside.host) as guest:
        guest.sendall(b"hello")
        assert guest.recv(100) == b"HELLO"


def test_postgresql_is_asked_for_tls_first(relays: Relays, tmp_path: Path) -> None:
    inside = INSIDE[Speaks.POSTGRESQL]
    connection = connect(relays, inside)
    connection.sendall(ASK_FOR_TLS)
    assert connection.recv(1) == b"S"
    with trusting(tmp_path).wrap_socket(connection, server_hostname=inside.host) as guest:
        guest.sendall(b"hello")
        assert guest.recv(100) == b"HELLO"


def test_postgresql_in_clear_is_refused(relays: Relays) -> None:
    with connect(relays, INSIDE[Speaks.POSTGRESQL]) as guest:
        guest.sendall(b"\0\0\0\x08\0\x03\0\0")
        assert guest.recv(100) == b""


def test_another_authority_does_not_trust_it(relays: Relays, tmp_path: Path) -> None:
    inside = INSIDE[Speaks.TLS]
    connection = connect(relays, inside)
    (tmp_path / "other").mkdir()
    with pytest.raises(ssl.SSLCertVerificationError), connection:
        trusting(tmp_path / "other").wrap_socket(connection, server_hostname=inside.host)


@pytest.mark.parametrize("inside", ["169.254.1.9:1", "169.254.9.9:80"])
def test_a_server_that_is_not_there_closes_the_connection(relays: Relays, inside: str) -> None:
    with connect(relays, inside) as guest:
        assert guest.recv(100) == b""


def test_closing_the_relays_closes_what_they_carry(tmp_path: Path, echo: Endpoint) -> None:
    relays = Relays([Service(INSIDE[Speaks.CLEAR], echo, Speaks.CLEAR)], tmp_path, tmp_path)
    with connect(relays, INSIDE[Speaks.CLEAR]) as guest:
        guest.sendall(b"hello")
        assert guest.recv(100) == b"HELLO"
        relays.close()
        assert guest.recv(100) == b""
    assert not relays.door.exists()
