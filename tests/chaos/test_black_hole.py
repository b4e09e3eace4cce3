"""A black hole swallows what it should, nothing else, and is gone when its maker is, however that ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.black_hole import black_hole, why_not
from chaos.bpf import swallow
from chaos.sockets import opened, ports_of_others
from local.processes import wait_until

HOST, OTHER = "127.252.7.1", "127.252.7.2"
ADDRESSES = (HOST, OTHER, "127.0.0.1")
SILENT = 0.3

PORT = st.integers(1, 65535)


@given(spared=st.sets(PORT, max_size=200), source=PORT, target=PORT, options=st.integers(0, 10))
def test_what_is_swallowed(spared: set[int], source: int, target: int, options: int) -> None:
    for sender, receiver in product(ADDRESSES, ADDRESSES):
        other_end = target if sender == HOST else source
        concerned = HOST in {sender, receiver}
        packet = ipv4(sender, receiver, source, target, options)
        assert dropped(swallow(HOST, spared), packet) == (concerned and other_end not in spared)


def test_other_protocols_pass() -> None:
    packet = ipv4(HOST, HOST, 1, 2, 0)
    assert not dropped(swallow(HOST), packet[:12] + b"\x86\xdd" + packet[14:])


def test_too_many_spared_are_refused() -> None:
    with pytest.raises(ValueError, match="201 connections are too many"):
        swallow(HOST, range(1, 202))


def test_the_table_of_connections() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0107FC7F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0\n"
        "   1: 0100007F:C350 0107FC7F:1538 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0\n"
    )
    assert [(each.port, each.remote, each.inode) for each in opened(table)] == [(50000, (HOST, 5432), 12)]


@pytest.fixture(scope="module")
def _allowed() -> None:
    if reason := why_not():
        pytest.skip(reason)


@pytest.mark.usefixtures("_allowed")
def test_open_connections_fall_silent_and_new_ones_wait() -> None:
    with listening(HOST) as server, listening(OTHER) as bystander, talk(server) as (client, peer):
        with black_hole(HOST):
            client.sendall(b"a")
            peer.sendall(b"b")
            assert silent(peer)
            assert silent(client)
            with pytest.raises(TimeoutError):
                socket.create_connection(server.getsockname(), SILENT)
            with talk(bystander) as (one, another):
                one.sendall(b"c")
                assert another.recv(1) == b"c"
        client.settimeout(10)
        peer.settimeout(10)
        assert peer.recv(1) == b"a"
        assert client.recv(1) == b"b"
        with talk(server):
            pass


@pytest.mark.usefixtures("_allowed")
def test_who_is_spared_stays_connected() -> None:
    with listening(HOST) as server, talk(server) as (spared, peer), talk(server) as (client, other):
        port = spared.getsockname()[1]
        assert ports_of_others(HOST, [os.getpid()]) == set()
        assert {port, client.getsockname()[1]} == ports_of_others(HOST, [])
        with black_hole(HOST, {port}):
            spared.sendall(b"a")
            assert peer.recv(1) == b"a"
            client.sendall(b"b")
            assert silent(other)


@pytest.mark.usefixtures("_allowed")
def test_it_goes_with_its_maker() -> None:
    script = f"from chaos.black_hole import black_hole\nwith black_hole('{HOST}'): print('on', flush=True); input()"
    command = (sys.executable, "-c", script)
    root = Path(__file__).parents[2]
    with (
        listening(HOST) as server,
        subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as maker,
    ):
        assert maker.stdout
        assert maker.stdout.readline() == "on\n"
        with pytest.raises(TimeoutError):
            socket.create_connection(server.getsockname(), SILENT)
        maker.send_signal(signal.SIGKILL)
        assert wait_until(lambda: reachable(server), 10)


@contextmanager
def listening(host: str) -> Iterator[socket.socket]:
    with socket.create_server((host, 0)) as server:
        server.settimeout(10)
        yield server


@contextmanager
def talk(server: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_connection(server.getsockname(), 10) as client:
        peer, _ = server.accept()
        with peer:
            yield client, peer


def silent(end: socket.socket) -> bool:
    end.settimeout(SILENT)
    try:
        end.recv(1)
    except TimeoutError:
        return True
    return False


def reachable(server: socket.socket) -> bool:
    try:
        with socket.create_connection(server.getsockname(), SILENT):
            return True
    except TimeoutError:
        return False


def ipv4(source: str, target: str, source_port: int, target_port: int, options: int) -> bytes:
    """An Ethernet frame with a TCP header's ports; `options` words lengthen the IP header."""
    header = bytes([0x45 + options]) + bytes(11) + socket.inet_aton(source) + socket.inet_aton(target)
    ports = source_port.to_bytes(2) + target_port.to_bytes(2)
    return bytes(12) + b"\x08\x00" + header + bytes(4 * options) + ports


def dropped(program: str, packet: bytes) -> bool:
    """Runs the instructions that the program uses, as the kernel does."""
    count, *listed = program.split(",")
    code = [tuple(map(int, each.split())) for each in listed]
    assert len(code) == int(count)
    accumulator = index = at = 0
    while True:
        operation, if_true, if_false, value = code[at]
        assert max(if_true, if_false) < 256
        at += 1
        match operation:
            case 0x28:
                accumulator = int.from_bytes(packet[value : value + 2])
            case 0x20:
                accumulator = int.from_bytes(packet[value : value + 4])
            case 0x48:
                accumulator = int.from_bytes(packet[index + value : index + value + 2])
            case 0xB1:
                index = 4 * (packet[value] & 0xF)
            case 0x05:
                at += value
            case 0x15:
                at += if_true if accumulator == value else if_false
            case 0x06:
                return value == 2
