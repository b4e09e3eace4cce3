"""The bill of materials of an OS layer: SPDX 2.3 as JSON, the same bytes for the same packages.

Source: SPDX Specification 2.3; package-url, type `deb`.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from image.os_layer.lock import Package
from image.os_layer.recipe import EPOCH

_ROOT = "SPDXRef-OSLayer"


def render(packages: Sequence[Package], suite: str, digest: str) -> str:
    """The document.

    Args:
        packages: as locked, which is what is installed.
        suite: of Debian, for example `bookworm`.
        digest: the OS layer's.
    """
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"goldfleet-os-{digest[:12]}",
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'goldfleet:sbom:{digest}')}",
        "creationInfo": {
            "created": datetime.fromtimestamp(EPOCH, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: goldfleet"],
            "comment": "The time is that of every file in the layer: the same packages give the same document.",
        },
        "packages": [_layer(digest), *(_package(package, suite) for package in packages)],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", _ROOT),
            *(_relation(_ROOT, "CONTAINS", _id(package)) for package in packages),
        ],
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _layer(digest: str) -> dict[str, object]:
    return {
        "SPDXID": _ROOT,
        "name": "goldfleet-os-layer",
        "versionInfo": digest,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "primaryPackagePurpose": "OPERATING-SYSTEM",
    }


def _package(package: Package, suite: str) -> dict[str, object]:
    url = f"pkg:deb/debian/{quote(package.name)}@{quote(package.version, safe='')}"
    return {
        "SPDXID": _id(package),
        "name": package.name,
        "versionInfo": package.version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "checksums": [{"algorithm": "SHA256", "checksumValue": package.sha256}],
        "copyrightText": "NOASSERTION",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"{url}?arch={package.architecture}&distro={suite}",
            }
        ],
    }


def _id(package: Package) -> str:
    return f"SPDXRef-{re.sub('[^A-Za-z0-9.-]', '-', package.name)}-{package.sha256[:8]}"


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
