"""The bill of materials names every package, as SPDX 2.3 wants it."""

from __future__ import annotations

import json
import re

from image.os_layer import sbom
from image.os_layer.lock import Package

PACKAGES = (
    Package("bsdutils", "1:2.38.1-5+deb12u3", "amd64", "ab" * 32, 12),
    Package("libstdc++6", "12.2.0-14+deb12u1", "amd64", "cd" * 32, 34),
)


def test_every_package_is_contained_with_checksum_and_url() -> None:
    document = json.loads(sbom.render(PACKAGES, "bookworm", "ef" * 32))
    assert (document["spdxVersion"], document["SPDXID"]) == ("SPDX-2.3", "SPDXRef-DOCUMENT")
    layer, *packages = document["packages"]
    assert layer["versionInfo"] == "ef" * 32
    assert [package["checksums"][0]["checksumValue"] for package in packages] == ["ab" * 32, "cd" * 32]
    assert [package["externalRefs"][0]["referenceLocator"] for package in packages] == [
        "pkg:deb/debian/bsdutils@1%3A2.38.1-5%2Bdeb12u3?arch=amd64&distro=bookworm",
        "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=bookworm",
    ]
    contained = {
        one["relatedSpdxElement"] for one in document["relationships"] if one["relationshipType"] == "CONTAINS"
    }
    assert contained == {package["SPDXID"] for package in packages}


def test_ids_are_well_formed_and_differ() -> None:
    names = [Package(name, "1", "all", f"{number:064x}"[::-1], 1) for number, name in enumerate(("g++", "g--"))]
    document = json.loads(sbom.render(names, "bookworm", "ef" * 32))
    ids = [package["SPDXID"] for package in document["packages"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one) for one in ids)


def test_same_packages_same_bytes() -> None:
    assert sbom.render(PACKAGES, "bookworm", "ef" * 32) == sbom.render(PACKAGES, "bookworm", "ef" * 32)
    assert sbom.render(PACKAGES, "bookworm", "ef" * 32) != sbom.render(PACKAGES, "bookworm", "00" * 32)
