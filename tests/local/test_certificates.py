"""Certificates that a client can verify, and only for their own address."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest

from local.certificates import issue


def test_a_client_that_trusts_the_authority_reaches_the_right_address_only(tmp_path: Path) -> None:
    issue(tmp_path, "127.0.0.9")
    for name, text in zip(("server.pem", "server.key"), issue(tmp_path, "127.0.0.1"), strict=True):
        (tmp_path / name).write_text(text)
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, context))
        thread.start()
        with (
            socket.create_connection(listener.getsockname()) as plain,
            trusting.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
        ):
            assert secure.recv(2) == b"hi"
        with (
            socket.create_connection(listener.getsockname()) as plain,
            pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.2"),
        ):
            trusting.wrap_socket(plain, server_hostname="127.0.0.2")
        thread.join(10)


def serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    for _ in range(2):
        connection, _address = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                secure.sendall(b"hi")
        except (ssl.SSLError, ConnectionError):
            connection.close()
