"""How every connection to a store is opened: verified TLS unless the store is on this machine, the password of now."""

from __future__ import annotations

import ssl
from pathlib import Path

from goldfleet.contract.stores import needs_tls


def tls_for(host: str) -> ssl.SSLContext | None:
    """A context that verifies certificate and host name; None for a loopback address.

    It trusts the system's authorities, or those of the file that the variable SSL_CERT_FILE names (OpenSSL).
    """
    return ssl.create_default_context() if needs_tls(host) else None


def read_password(file: str) -> str:
    """The password of now: the file is read for each new connection, so that a rotated one is taken up."""
    return Path(file).read_text(encoding="utf-8").rstrip("\n")
