"""A Debian archive in a folder, with packages that a test makes, and apt's configuration that names it."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Archive:
    """One suite of an archive, without signatures: its sources entry says that it is trusted.

    Args:
        folder: where it lies.
        suite: its codename.
        origin: who it says made it.
    """

    folder: Path
    suite: str = "bookworm"
    origin: str = "Debian"
    _debs: dict[str, Path] = field(default_factory=dict)

    def add(self, name: str, version: str, *, depends: str = "", essential: bool = False, content: str = "") -> Path:
        """Puts a package there, in the place of its former version."""
        tree = self.folder / "trees" / f"{name}_{version}"
        (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
        (tree / "usr/share" / name).mkdir(parents=True, exist_ok=True)
        (tree / "usr/share" / name / "content").write_text(content or version)
        fields = {"Package": name, "Version": version, "Architecture": "amd64", "Maintainer": "Test <test@invalid>"}
        fields |= {"Description": "made by a test"} | ({"Depends": depends} if depends else {})
        fields |= {"Essential": "yes"} if essential else {}
        (tree / "DEBIAN/control").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
        deb = self.folder / "pool" / f"{name}_{version.replace(':', '%3a')}_amd64.deb"
        deb.parent.mkdir(exist_ok=True)
        subprocess.run(
            ["dpkg-deb", "--build", "--root-owner-group", "-Znone", str(tree), str(deb)],
            check=True,
            capture_output=True,
            timeout=30,
        )
        if name in self._debs and self._debs[name] != deb:
            self._debs[name].unlink()
        self._debs[name] = deb
        self.publish()
        return deb

    def publish(self) -> None:
        """Writes the lists anew."""
        stanzas = []
        for deb in self._debs.values():
            control = subprocess.run(
                ["dpkg-deb", "--field", str(deb)], check=True, capture_output=True, text=True, timeout=30
            ).stdout
            checksum = hashlib.sha256(deb.read_bytes()).hexdigest()
            place = deb.relative_to(self.folder)
            stanzas.append(f"{control}Filename: {place}\nSize: {deb.stat().st_size}\nSHA256: {checksum}\n")
        index = "\n".join(stanzas).encode()
        lists = self.folder / "dists" / self.suite / "main/binary-amd64"
        lists.mkdir(parents=True, exist_ok=True)
        (lists / "Packages").write_bytes(index)
        (lists.parents[1] / "Release").write_text(
            f"Origin: {self.origin}\nSuite: oldstable\nCodename: {self.suite}\nArchitectures: amd64\nComponents: main\n"
            f"Date: Mon, 01 Jan 2024 00:00:00 UTC\n"
            f"SHA256:\n {hashlib.sha256(index).hexdigest()} {len(index)} main/binary-amd64/Packages\n"
        )

    def entry(self) -> str:
        """Its stanza in a sources file."""
        return f"Types: deb\nURIs: copy:{self.folder}\nSuites: {self.suite}\nComponents: main\nTrusted: yes\n"


def configure(folder: Path, *entries: str) -> Path:
    """Writes a configuration of apt that knows these sources only; returns the file for `APT_CONFIG`."""
    sources = folder / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    (sources / "all.sources").write_text("# the machine's sources\n\n" + "\n".join(entries))
    file = folder / "apt.conf"
    file.write_text(f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{sources}";\n')
    return file
