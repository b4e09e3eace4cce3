"""Releases on this machine: the volumes behind an image, read block by block, once each.

The blocks come through EBS's direct API, as anybody would read a snapshot. Of an image that boots, both volumes become
disks of virtual machines. Of one without an OS layer, the app volume is unpacked; what is in it only
`image.app_layer.unpack` knows.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import botocore.exceptions

from goldfleet.errors import LocalCloudError
from local.accounts import MYSELF
from local.plane.actor import OneShot, clean_environment
from local.plane.wanted import Release
from local.run_folder import RunFolder

PROJECT = Path(__file__).resolve().parents[2]
"""Where the packages `image` and `goldfleet` are."""

_GIB = 2**30
_READERS = 4
_UNPACK = 120.0


class Releases:
    """The releases of a run, in `releases/`: `DIGEST/` unpacked, `SNAPSHOT.raw` as a disk.

    Args:
        folder: the run.
        ebs: boto3 client of EBS's direct API.
    """

    def __init__(self, folder: RunFolder, ebs: Any) -> None:
        self._folder = folder
        self._ebs = ebs
        self._lock = threading.Lock()
        self._expected: set[Release] = set()

    def fetch(self, release: str, snapshot: str) -> Path:
        """The release's read-only tree; fetched if it is not here.

        Args:
            release: digest, the folder's name.
            snapshot: the snapshot behind the image's app volume.

        Raises:
            LocalCloudError: there is no such snapshot, or what is in it cannot be unpacked.
        """
        if not release or not snapshot:
            raise LocalCloudError("image", "has no release or no app volume", "launch from an image that was baked")
        target = self._folder.releases / release
        with self._lock:
            if not target.exists():
                self._unpack(snapshot, target)
        return target

    def disk(self, snapshot: str) -> Path:
        """A snapshot as a sparse raw disk that everybody may read; read if it is not here.

        Raises:
            LocalCloudError: there is no such snapshot, or it is damaged.
        """
        target = self._folder.releases / f"{snapshot}.raw"
        with self._lock:
            if not target.exists():
                unfinished = target.with_suffix(".unfinished")
                try:
                    self._read(snapshot, unfinished)
                    unfinished.rename(target)
                finally:
                    unfinished.unlink(missing_ok=True)
        return target

    def expect(self, releases: Iterable[Release]) -> None:
        """Fetches releases before the first clone of them comes; what goes wrong, that clone's start will say."""
        for release in releases:
            if release not in self._expected:
                self._expected.add(release)
                threading.Thread(target=self._try, args=(release,), daemon=True).start()

    def _try(self, release: Release) -> None:
        with contextlib.suppress(LocalCloudError):
            if release.root:
                self.disk(release.root)
                self.disk(release.snapshot)
            else:
                self.fetch(release.digest, release.snapshot)

    def _unpack(self, snapshot: str, target: Path) -> None:
        volume = target.with_name(f".{target.name}.volume")
        try:
            self._read(snapshot, volume)
            unpack = (sys.executable, "-m", "image.app_layer.unpack", "--snapshot-file", str(volume), str(target))
            OneShot(self._folder, MYSELF, clean_environment(PYTHONPATH=str(PROJECT)), _UNPACK).run(unpack)
        finally:
            volume.unlink(missing_ok=True)

    def _read(self, snapshot: str, volume: Path) -> None:
        """Writes a snapshot's blocks where they belong, zeros between them, to the volume's end."""
        try:
            with volume.open("wb") as file, ThreadPoolExecutor(_READERS, "ebs") as pool:
                for page in self._pages(snapshot):
                    file.truncate(page["VolumeSize"] * _GIB)
                    read = partial(self._block, snapshot, page["BlockSize"])
                    for offset, content in pool.map(read, page["Blocks"]):
                        file.seek(offset)
                        file.write(content)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise LocalCloudError(snapshot, f"cannot be read ({error})", "register the release again") from error

    def _pages(self, snapshot: str) -> Iterator[Mapping[str, Any]]:
        arguments: dict[str, str] = {"SnapshotId": snapshot}
        while True:
            page = self._ebs.list_snapshot_blocks(**arguments)
            yield page
            if not page.get("NextToken"):
                return
            arguments["NextToken"] = page["NextToken"]

    def _block(self, snapshot: str, size: int, block: Mapping[str, Any]) -> tuple[int, bytes]:
        index = block["BlockIndex"]
        answer = self._ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockToken=block["BlockToken"])
        content: bytes = answer["BlockData"].read()
        if base64.b64encode(hashlib.sha256(content).digest()).decode() != answer["Checksum"]:
            raise LocalCloudError(snapshot, f"block {index} is damaged", "register the release again")
        return index * size, content
