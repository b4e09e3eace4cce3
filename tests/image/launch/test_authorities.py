"""Whom the app trusts, and that the authorities in the image are what AWS says of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from goldfleet.contract import service
from goldfleet.errors import ContractError
from image.launch.authorities import bundle

FILES = Path(__file__).parents[3] / "image" / "files"
PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@pytest.fixture
def system(tmp_path: Path) -> Path:
    path = tmp_path / "system.pem"
    path.write_text(PEM.format("system"))
    return path


def test_all_three_are_joined(system: Path, tmp_path: Path) -> None:
    image = tmp_path / "image.pem"
    image.write_text(PEM.format("image").strip())
    assert bundle(PEM.format("told"), image, system) == "".join(PEM.format(who) for who in ("system", "image", "told"))
    assert bundle("", image, system) == "".join(PEM.format(who) for who in ("system", "image"))


def test_where_nobody_is_named_openssl_is_left_alone(system: Path, tmp_path: Path) -> None:
    assert bundle("", tmp_path / "none.pem", system) == ""


def test_without_the_systems_authorities_nothing_is_trusted_by_halves(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"system\.pem: unreadable"):
        bundle(PEM.format("told"), tmp_path / "none.pem", tmp_path / "system.pem")


def test_the_image_carries_the_authorities_of_rds() -> None:
    path = FILES / service.CA_BUNDLE.lstrip("/")
    certificates = x509.load_pem_x509_certificates(path.read_bytes())
    assert len(certificates) > 50
    assert len({certificate.tbs_certificate_bytes for certificate in certificates}) == len(certificates)
    for certificate in certificates:
        assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert certificate.not_valid_after_utc > datetime.now(UTC)
        assert certificate.subject.rfc4514_string().count("Amazon RDS")
        certificate.verify_directly_issued_by(certificate)
