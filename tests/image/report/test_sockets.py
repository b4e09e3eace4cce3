"""The kernel's tables of sockets, as they were written by a booted clone."""

from __future__ import annotations

from pathlib import Path

from image.report.sockets import PROTOCOLS, Socket, listening, reasons

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TCP = HEAD + (
    "   0: 0F00FEA9:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000   800        0 9\n"
    "   1: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 8\n"
    "   2: 0F00FEA9:8012 FEA9FEA9:0050 01 00000000:00000000 00:00000000 00000000   800        0 7\n"
)
UDP = HEAD + (
    "  10: 0F00FEA9:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000   998        0 6 2 0 0\n"
    "  11: 0F00FEA9:9F24 7BA9FEA9:007B 01 00000000:00000000 00:00000000 00000000   102        0 5 2 0 0\n"
)
TCP6 = HEAD + (
    "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 1\n"
    "   1: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 1\n"
)


def test_what_waits_is_told_with_its_reason() -> None:
    found = listening({"tcp": TCP, "udp": UDP}, {("tcp", 8000): "the app", ("udp", 68): "DHCP"})
    assert found == [
        Socket("tcp", "127.0.0.1", 22, outside=False, reason=""),
        Socket("tcp", "169.254.0.15", 8000, outside=True, reason="the app"),
        Socket("udp", "169.254.0.15", 68, outside=True, reason="DHCP"),
    ]


def test_sockets_of_ipv6_are_told_too() -> None:
    found = listening({"tcp6": TCP6}, {})
    assert [(socket.address, socket.port, socket.outside) for socket in found] == [
        ("::", 8080, True),
        ("::1", 8081, False),
    ]


def test_this_machines_own_tables_can_be_read() -> None:
    tables = {name: Path("/proc/net", name) for name in PROTOCOLS}
    listening({name: path.read_text() for name, path in tables.items() if path.exists()}, reasons())


def test_every_socket_on_the_list_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in reasons().values())
