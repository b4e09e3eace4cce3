"""Volumes -> completed, encrypted EBS snapshots, through the EBS direct APIs; one for each layer of a project.

A layer's snapshot is found again by its tag, so nothing is sent twice; an upload that was cut off is taken up, for the
same layer always has the same blocks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import botocore.exceptions

from goldfleet.contract.names import TAG_PROJECT
from goldfleet.errors import ReleaseError
from image.registry import blocks
from image.registry.volume import Volume

TAG_LAYER = "goldfleet:layer"
PARALLEL_PUTS = 8
"""Blocks in flight, and in memory."""
UPLOAD_MINUTES = 60
"""After which AWS gives up an upload that nobody completes."""
COMPLETED_TIMEOUT = 900.0
"""Seconds until a snapshot is `completed` after its last block."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Snapshots:
    """Snapshots of one project.

    Args:
        ec2, ebs: boto3 clients.
        project: tag `goldfleet:project`.
        progress: takes a line of text; what it raises ends the upload.
        sleep: waits that many seconds.
    """

    ec2: Any
    ebs: Any
    project: str
    progress: Progress
    sleep: Callable[[float], None] = time.sleep

    def ensure(self, layer: str, volume: Volume) -> str:
        """The id of the layer's completed snapshot; made if there is none.

        Args:
            layer: digest or name of the layer.
            volume: its content.

        Raises:
            ReleaseError: it does not become `completed` in time.
        """
        found = self._find(layer)
        if found is None or found["State"] != "completed":
            snapshot = found["SnapshotId"] if found else self._start(layer, volume)
            try:
                self._upload(snapshot, volume)
            except botocore.exceptions.ClientError:
                # Somebody else may have completed the same upload in the meantime.
                again = self._find(layer)
                if again is None or again["State"] != "completed":
                    raise
            found = self._wait_completed(layer, snapshot)
        return str(found["SnapshotId"])

    def _find(self, layer: str) -> dict[str, Any] | None:
        """The layer's snapshot, a completed one first; those that failed are removed."""
        filters = [
            {"Name": f"tag:{TAG_PROJECT}", "Values": [self.project]},
            {"Name": f"tag:{TAG_LAYER}", "Values": [layer]},
        ]
        found = self.ec2.describe_snapshots(OwnerIds=["self"], Filters=filters)["Snapshots"]
        for snapshot in found:
            if snapshot["State"] == "error":
                self.ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
        usable = [snapshot for snapshot in found if snapshot["State"] in ("completed", "pending")]
        return min(usable, key=lambda snapshot: (snapshot["State"], snapshot["SnapshotId"]), default=None)

    def _start(self, layer: str, volume: Volume) -> str:
        tags = {TAG_PROJECT: self.project, TAG_LAYER: layer}
        started = self.ebs.start_snapshot(
            VolumeSize=volume.gibibytes,
            Encrypted=True,
            Description=f"{self.project} layer {layer}",
            ClientToken=str(uuid4()),
            Timeout=UPLOAD_MINUTES,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        return str(started["SnapshotId"])

    def _upload(self, snapshot: str, volume: Volume) -> None:
        numbers = list(volume.block_numbers())
        checksums: dict[int, str] = {}
        with ThreadPoolExecutor(PARALLEL_PUTS, thread_name_prefix="put") as pool:
            try:
                results = pool.map(lambda number: self._put(snapshot, volume, number), numbers)
                for done, (number, checksum) in enumerate(results, 1):
                    if checksum:
                        checksums[number] = checksum
                    if done % 16 == 0:
                        self.progress(f"sending the snapshot, {done} of {len(numbers)} blocks")
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        self.ebs.complete_snapshot(
            SnapshotId=snapshot,
            ChangedBlocksCount=len(checksums),
            Checksum=blocks.linear(checksums),
            ChecksumAlgorithm="SHA256",
            ChecksumAggregationMethod="LINEAR",
        )

    def _put(self, snapshot: str, volume: Volume, number: int) -> tuple[int, str]:
        """Sends one block; returns its number and checksum, none for zeros."""
        content = volume.block(number)
        if blocks.is_zero(content):
            return number, ""
        checksum = blocks.checksum(content)
        self.ebs.put_snapshot_block(
            SnapshotId=snapshot,
            BlockIndex=number,
            BlockData=content,
            DataLength=len(content),
            Checksum=checksum,
            ChecksumAlgorithm="SHA256",
        )
        return number, checksum

    def _wait_completed(self, layer: str, snapshot: str) -> dict[str, Any]:
        deadline, pause = time.monotonic() + COMPLETED_TIMEOUT, 0.1
        while True:
            found = self._find(layer)
            if found is not None and found["State"] == "completed":
                return found
            if found is None or time.monotonic() > deadline:
                state = "ended in error" if found is None else f"not completed after {COMPLETED_TIMEOUT:.0f} seconds"
                raise ReleaseError(snapshot, state, "run the same command again: what was sent is kept")
            self.progress("waiting until the snapshot is completed")
            self.sleep(pause)
            pause = min(pause * 2, 5.0)
