"""Releases on this machine: the app volume behind an image, read block by block and unpacked once.

The blocks come through EBS's direct API, as anybody would read a snapshot; what is in them only
`image.app_layer.unpack` knows.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
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

_READERS = 4
_UNPACK = 120.0


class Releases:
    """The unpacked releases of a run, in `releases/DIGEST/`.

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

    def expect(self, releases: Iterable[Release]) -> None:
        """Fetches releases before the first clone of them comes; what goes wrong, that clone's start will say."""
        for release in releases:
            if release not in self._expected:
                self._expected.add(release)
                threading.Thread(target=self._try, args=(release,), daemon=True).start()

    def _try(self, release: Release) -> None:
        with contextlib.suppress(LocalCloudError):
            self.fetch(release.digest, release.snapshot)

    def _unpack(self, snapshot: str, target: Path) -> None:
        volume = target.with_name(f".{target.name}.volume")
        try:
            self._read(snapshot, volume)
            unpack = (sys.executable, "-m", "image.app_layer.unpack", "--snapshot-file", str(volume), str(target))
            OneShot(self._folder, MYSELF, clean_environment(PYTHONPATH=str(PROJECT)), _UNPACK).run(unpack)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise LocalCloudError(snapshot, f"cannot be read ({error})", "register the release again") from error
        finally:
            volume.unlink(missing_ok=True)

    def _read(self, snapshot: str, volume: Path) -> None:
        with volume.open("wb") as file, ThreadPoolExecutor(_READERS, "ebs") as pool:
            blocks = pool.map(lambda block: self._block(snapshot, *block), self._blocks(snapshot))
            for offset, content in blocks:
                file.seek(offset)
                file.write(content)

    def _blocks(self, snapshot: str) -> Iterator[tuple[int, str, int]]:
        arguments: dict[str, str] = {"SnapshotId": snapshot}
        while True:
            page = self._ebs.list_snapshot_blocks(**arguments)
            for block in page["Blocks"]:
                yield block["BlockIndex"], block["BlockToken"], page["BlockSize"]
            if not page.get("NextToken"):
                return
            arguments["NextToken"] = page["NextToken"]

    def _block(self, snapshot: str, index: int, token: str, size: int) -> tuple[int, bytes]:
        answer = self._ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockToken=token)
        content: bytes = answer["BlockData"].read()
        if base64.b64encode(hashlib.sha256(content).digest()).decode() != answer["Checksum"]:
            raise LocalCloudError(snapshot, f"block {index} is damaged", "register the release again")
        return index * size, content
