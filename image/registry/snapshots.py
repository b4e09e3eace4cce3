"""Volumes -> completed, encrypted EBS snapshots, through the EBS direct APIs; one for each layer of a project.

A snapshot is found again by its layer and its content, so nothing is sent twice, and an upload that was cut off is
taken up with the very blocks that it was started for. AWS gives up what nobody takes up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Any
from uuid import uuid4

import botocore.exceptions

from goldfleet.contract.names import TAG_PROJECT
from goldfleet.errors import ReleaseError
from image.registry import blocks
from image.registry.retry import patiently
from image.registry.volume import Volume

TAG_LAYER = "goldfleet:layer"
TAG_CONTENT = "goldfleet:content"
PARALLEL_PUTS = 8
"""Blocks in flight, and in memory."""
UPLOAD_MINUTES = 60
"""After which AWS gives up an upload that nobody goes on with."""
COMPLETED_TIMEOUT = 900.0
"""Seconds until a snapshot is `completed` after its last block."""

Progress = Callable[[str], None]


class _Stopped(BaseException):
    """The upload has ended; what still waits to be sent is not."""


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
            ReleaseError: it does not become `completed` in time, or AWS does not take the blocks.
        """
        self.progress("reading the layer")
        checksums = volume.checksums()
        content = blocks.linear(checksums)
        found = _best(self._tidied(layer, content))
        if found is not None and found["State"] == "completed":
            return str(found["SnapshotId"])
        snapshot = found["SnapshotId"] if found else self._start(layer, content, volume)
        try:
            self._upload(snapshot, volume, checksums)
        except botocore.exceptions.ClientError:
            # Somebody else may have completed the same upload in the meantime.
            again = _best(self._tidied(layer, content))
            if again is None or again["State"] != "completed":
                raise
        return self._wait_completed(layer, content, snapshot)

    def remove_spares(self, layer: str) -> None:
        """Removes completed copies of a layer that no image uses, where an image uses another: two have made it at
        once."""
        kept = [one for one in self._tagged(layer) if one["State"] == "completed"]
        if len(kept) < 2:
            return
        ids = [one["SnapshotId"] for one in kept]
        filters = [{"Name": "block-device-mapping.snapshot-id", "Values": ids}]
        images = patiently(self.sleep, self.ec2.describe_images, Owners=["self"], Filters=filters)["Images"]
        used = {
            mapping.get("Ebs", {}).get("SnapshotId") for image in images for mapping in image["BlockDeviceMappings"]
        }
        contents = {_content(one) for one in kept if one["SnapshotId"] in used}
        for one in kept:
            if one["SnapshotId"] not in used and _content(one) in contents:
                self._delete(one["SnapshotId"])

    def _tidied(self, layer: str, content: str) -> list[dict[str, Any]]:
        """The layer's snapshots with this content that can be used; those that AWS gave up are removed."""
        usable = []
        for one in self._tagged(layer):
            if one["State"] == "error":
                self._delete(one["SnapshotId"])
            elif _content(one) == content:
                usable.append(one)
        return usable

    def _tagged(self, layer: str) -> list[dict[str, Any]]:
        filters = [
            {"Name": f"tag:{TAG_PROJECT}", "Values": [self.project]},
            {"Name": f"tag:{TAG_LAYER}", "Values": [layer]},
        ]
        answer = patiently(self.sleep, self.ec2.describe_snapshots, OwnerIds=["self"], Filters=filters)
        return list(answer["Snapshots"])

    def _delete(self, snapshot: str) -> None:
        try:
            patiently(self.sleep, self.ec2.delete_snapshot, SnapshotId=snapshot)
        except botocore.exceptions.ClientError as error:
            # Gone already, or an image uses it since the look.
            if error.response["Error"]["Code"] not in ("InvalidSnapshot.NotFound", "InvalidSnapshot.InUse"):
                raise

    def _start(self, layer: str, content: str, volume: Volume) -> str:
        tags = {TAG_PROJECT: self.project, TAG_LAYER: layer, TAG_CONTENT: content}
        started = patiently(
            self.sleep,
            self.ebs.start_snapshot,
            VolumeSize=volume.gibibytes,
            Encrypted=True,
            Description=f"{self.project} layer {layer}",
            ClientToken=str(uuid4()),
            Timeout=UPLOAD_MINUTES,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        return str(started["SnapshotId"])

    def _upload(self, snapshot: str, volume: Volume, checksums: Mapping[int, str]) -> None:
        stopped = Event()
        with ThreadPoolExecutor(PARALLEL_PUTS, thread_name_prefix="put") as pool:
            todo = {pool.submit(self._put, snapshot, volume, *one, stopped) for one in checksums.items()}
            try:
                while todo:
                    self.progress(f"sending the snapshot, {len(checksums) - len(todo)} of {len(checksums)} blocks")
                    done, todo = wait(todo, timeout=1.0)
                    for one in done:
                        one.result()
            except BaseException:
                stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        patiently(
            self.sleep,
            self.ebs.complete_snapshot,
            SnapshotId=snapshot,
            ChangedBlocksCount=len(checksums),
            Checksum=blocks.linear(checksums),
            ChecksumAlgorithm="SHA256",
            ChecksumAggregationMethod="LINEAR",
        )

    def _put(self, snapshot: str, volume: Volume, number: int, checksum: str, stopped: Event) -> None:
        """Sends one block.

        Raises:
            ReleaseError: AWS has kept other bytes than were sent.
        """

        def sleep(seconds: float) -> None:
            self.sleep(seconds)
            if stopped.is_set():
                raise _Stopped

        content = volume.block(number)
        answer = patiently(
            sleep,
            self.ebs.put_snapshot_block,
            SnapshotId=snapshot,
            BlockIndex=number,
            BlockData=content,
            DataLength=len(content),
            Checksum=checksum,
            ChecksumAlgorithm="SHA256",
        )
        if answer["Checksum"] != checksum:
            what = f"block {number} of {snapshot} has the checksum {answer['Checksum']}, sent was {checksum}"
            raise ReleaseError("EBS", what, "run the same command again: every block is sent anew")

    def _wait_completed(self, layer: str, content: str, snapshot: str) -> str:
        """Waits until our own upload has ended, so that none is left behind unseen; returns the one to use."""
        deadline, pause = time.monotonic() + COMPLETED_TIMEOUT, 0.1
        while True:
            tagged = [one for one in self._tagged(layer) if _content(one) == content]
            best, own = _best(tagged), next((one for one in tagged if one["SnapshotId"] == snapshot), None)
            ended = own is None or own["State"] != "pending"
            if ended and best is not None and best["State"] == "completed":
                return str(best["SnapshotId"])
            if own is not None and own["State"] == "error":
                raise ReleaseError(snapshot, "ended in error", "run the same command again: it is sent anew")
            if time.monotonic() > deadline:
                what = f"not completed after {COMPLETED_TIMEOUT:.0f} seconds"
                raise ReleaseError(snapshot, what, "run the same command again: what was sent is kept")
            self.progress("waiting until the snapshot is completed")
            self.sleep(pause)
            pause = min(pause * 2, 5.0)


def _best(found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """A completed snapshot before a pending one; among equals everybody takes the same."""
    usable = [one for one in found if one["State"] in ("completed", "pending")]
    return min(usable, key=lambda one: (one["State"], one["SnapshotId"]), default=None)


def _content(snapshot: Mapping[str, Any]) -> str:
    return next((str(tag["Value"]) for tag in snapshot.get("Tags", ()) if tag["Key"] == TAG_CONTENT), "")
