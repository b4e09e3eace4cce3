"""Whom the app trusts: the system's authorities, those of the stores in the image, those that the user data names."""

from __future__ import annotations

from pathlib import Path

from goldfleet.contract import service
from goldfleet.errors import ContractError

SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")
"""The bundle of Debian's package ca-certificates, as update-ca-certificates(8) writes it."""


def bundle(told: str, image: Path | None = None, system: Path = SYSTEM) -> str:
    """All of them as one PEM text; empty where only the system's are to be trusted, as OpenSSL does by itself.

    Args:
        told: `authorities` of the user data.
        image: the image's own file; None: `service.CA_BUNDLE`. It need not be there.
        system: the system's bundle.

    Raises:
        ContractError: `told` holds no certificate, or a file cannot be read.
    """
    image = Path(service.CA_BUNDLE) if image is None else image
    if told and "-----BEGIN CERTIFICATE-----" not in told:
        raise ContractError("user data: authorities", "no certificate in it", "give certificates as PEM text")
    files = [image] if image.exists() else []
    if not told and not files:
        return ""
    try:
        texts = [path.read_text(encoding="utf-8") for path in (system, *files)]
    except OSError as error:
        raise ContractError(str(error.filename), f"unreadable ({error.strerror})", "bake the image anew") from error
    return "\n".join(text.strip() for text in (*texts, told) if text) + "\n"
