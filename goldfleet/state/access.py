"""How every connection to a store is opened: verified TLS unless the store is on this machine, the password of now."""

from __future__ import annotations

import ssl
from pathlib import Path

from goldfleet.contract.stores import needs_tls
from goldfleet.state.exceptions import AGAIN


def tls_for(host: str) -> ssl.SSLContext | None:
    """A context that verifies certificate and host name; None for a loopback address.

    It trusts the system's authorities; the variable SSL_CERT_FILE names a file with others (OpenSSL). Reading them
    takes some 20 milliseconds, so keep a context for all connections of a pool.
    """
    return ssl.create_default_context() if needs_tls(host) else None


def way_out(error: BaseException | None) -> str:
    """The next step after a connection failed with `error`, or with what led to it."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return "name a file with the authority of its certificate in SSL_CERT_FILE, and the host as it says"
        error = error.__cause__ or error.__context__
    return AGAIN


def read_password(file: str) -> str:
    """The password of now: the file is read for each new connection, so that a rotated one is taken up."""
    return Path(file).read_text(encoding="utf-8").rstrip("\n")
