"""The locked packages' files: kept by checksum, fetched when they are missing, served to mmdebstrap as a repository.

A file that does not have the locked checksum never gets into the cache, so it never gets into an image.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from goldfleet.errors import ReleaseError
from image import cache
from image.os_layer import archive
from image.os_layer.lock import Package
from image.os_layer.tools import run
from image.release import file_digest

KIND = "debs"
UNUSED = 90 * cache.DAY
"""Seconds after which a file that no bake used is removed: long, as the archive may not have it any more."""
WAY_OUT = "`goldfleet image update` locks what there is now"
NAMED = 3
"""How many packages an error names."""


def fetch(packages: Sequence[Package], suite: str, progress: Callable[[str], None]) -> dict[Package, Path]:
    """The file of every package, from the cache or from the archive.

    Args:
        packages: as locked.
        suite: that they were locked for.
        progress: told what is downloaded.

    Raises:
        ReleaseError: the archive has moved on, cannot be reached, or offers other bytes than the locked ones.
    """
    missing = [package for package in packages if not _place(package).exists()]
    if missing:
        size = sum(package.size for package in missing) / 1e6
        progress(f"downloading {len(missing)} packages, {size:.0f} MB")
        with archive.opened(suite) as there:
            require_same(missing, there.find([f"{package.name}={package.version}" for package in missing]))
            _download(there, missing)
    return {package: cache.used(_place(package)) for package in packages}


def require_same(locked: Sequence[Package], found: Mapping[str, Package]) -> None:
    """Raises ReleaseError unless the archive has every locked package, with the locked bytes.

    Args:
        locked: packages that are needed.
        found: `name=version` -> the archive's package.
    """
    gone = [key for key in (f"{package.name}={package.version}" for package in locked) if key not in found]
    if gone:
        what = f"no longer has {_some(gone)}, which image/os.lock names"
        raise ReleaseError(archive.WHERE, what, WAY_OUT)
    other = [key for package in locked if found[key := f"{package.name}={package.version}"].sha256 != package.sha256]
    if other:
        what = f"offers other bytes than the locked ones for {_some(other)}"
        raise ReleaseError(archive.WHERE, what, f"find out why; then {WAY_OUT}")


def lay_out(debs: Mapping[Package, Path], suite: str, target: Path) -> None:
    """Makes a repository of the packages, and nothing else, that apt reads.

    Args:
        debs: the locked packages' files.
        suite: its codename.
        target: the folder to make; anybody may read it, as mmdebstrap works as another user.
    """
    target.mkdir()
    target.chmod(0o755)
    stanzas = []
    for package, file in sorted(debs.items()):
        copy = target / f"{package.sha256}.deb"
        shutil.copyfile(file, copy)
        copy.chmod(0o644)
        control = run(["dpkg-deb", "--field", str(copy)], str(file), 60.0).strip()
        stanzas.append(f"{control}\nFilename: ./{copy.name}\nSize: {package.size}\nSHA256: {package.sha256}\n")
    index = "\n".join(stanzas).encode()
    checksum = f"{hashlib.sha256(index).hexdigest()} {len(index)} Packages"
    release = f"Suite: {suite}\nCodename: {suite}\nSHA256:\n {checksum}\n"
    for name, content in (("Packages", index), ("Release", release.encode())):
        (target / name).write_bytes(content)
        (target / name).chmod(0o644)


def _download(there: archive.Archive, packages: Sequence[Package]) -> None:
    wanted = {package.sha256: package for package in packages}
    with cache.workspace(KIND, UNUSED) as folder:
        for file in there.download(packages, folder):
            package = wanted.pop(file_digest(file), None)
            if package is None or file.stat().st_size != package.size:
                what = f"sent {file.name} with another checksum or size than the locked one"
                raise ReleaseError(archive.WHERE, what, f"try again; then {WAY_OUT}")
            cache.move(file, _place(package))
    if wanted:
        names = [package.name for package in wanted.values()]
        raise ReleaseError(archive.WHERE, f"did not send {_some(names)}", "run it again")


def _place(package: Package) -> Path:
    return cache.folder(KIND) / f"{package.sha256}.deb"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
