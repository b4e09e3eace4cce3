"""EBS direct: snapshots are pending until completed, encrypted if asked, checked block by block, read in pages.

AWS, "Amazon EBS direct APIs": blocks have 512 KiB; a put overwrites; a pending snapshot cannot be read; the LINEAR
checksum is the SHA256 of the blocks' own SHA256 digests in the order of their index.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ebs import urls
from moto.ebs.models import Block, EBSBackend, EBSSnapshot, ebs_backends
from moto.ebs.responses import EBSResponse
from typing_extensions import override

from local.control.extend import use_backend, use_response

BLOCK_SIZE = 512 * 1024
BLOCKS_PER_GIB = 1024**3 // BLOCK_SIZE
LARGEST_PAGE = 10_000
LARGEST_VOLUME = 65_536
"""GiB."""


class EbsError(ServiceException):
    """A ValidationException or ResourceNotFoundException with its reason."""

    def __init__(self, code: str, reason: str, message: str) -> None:
        super().__init__(code, message)
        self.Reason = reason


class Ebs(EBSBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tokens: dict[str, tuple[str, dict[str, Any]]] = {}
        self.written: dict[str, set[int]] = {}

    def begin(self, params: dict[str, Any]) -> EBSSnapshot:
        """StartSnapshot; `params` is the call's parameters."""
        known, same = self.tokens.get(params.get("ClientToken", ""), ("", params))
        if known in self.snapshots:
            if params != same:
                raise EbsError("ConflictException", "", "The client token was used with other parameters")
            return self.snapshots[known]
        parent = self._parent(params)
        if not 1 <= params["VolumeSize"] <= LARGEST_VOLUME:
            raise _invalid("INVALID_VOLUME_SIZE", f"A volume has 1 to {LARGEST_VOLUME} GiB")
        snapshot = self.start_snapshot(params["VolumeSize"], params.get("Tags"), params.get("Description", ""))
        shown = self.ec2_backend.snapshots[snapshot.snapshot_id]
        self.ec2_backend.delete_volume(shown.volume_id)
        shown.status = "pending"
        shown.kms_key_id = params.get("KmsKeyArn")
        shown.encrypted = bool(params.get("Encrypted", self.ec2_backend.ebs_encryption_by_default))
        if parent is not None:
            shown.encrypted = self.ec2_backend.snapshots[parent.snapshot_id].encrypted
            snapshot.blocks = dict(parent.blocks)
        snapshot.block_size = BLOCK_SIZE
        self.written[snapshot.snapshot_id] = set()
        self.tokens[params.get("ClientToken", snapshot.snapshot_id)] = (snapshot.snapshot_id, params)
        return snapshot

    @override
    def put_snapshot_block(
        self,
        snapshot_id: str,
        block_index: int,
        block_data: bytes,
        checksum: str | None,
        checksum_algorithm: str | None,
        data_length: int | None,
    ) -> tuple[str | None, str | None]:
        snapshot = self._pending(snapshot_id)
        if not 0 <= block_index < snapshot.volume_size * BLOCKS_PER_GIB:
            raise _invalid("INVALID_PARAMETER_VALUE", f"Block {block_index} is outside the volume")
        if len(block_data) != BLOCK_SIZE or data_length != BLOCK_SIZE:
            raise _invalid("INVALID_BLOCK", f"A block has {BLOCK_SIZE} bytes")
        if checksum != base64.b64encode(hashlib.sha256(block_data).digest()).decode():
            raise _invalid("INVALID_BLOCK", "The checksum does not match the data")
        self.written[snapshot_id].add(block_index)
        return super().put_snapshot_block(
            snapshot_id, block_index, block_data, checksum, checksum_algorithm, data_length
        )

    def finish(self, snapshot_id: str, changed_blocks: int, checksum: str | None) -> None:
        """CompleteSnapshot, after checking what the caller believes it has written."""
        snapshot = self._pending(snapshot_id)
        written = sorted(self.written[snapshot_id])
        if changed_blocks != len(written):
            raise _invalid("INVALID_PARAMETER_VALUE", f"{len(written)} blocks were written, not {changed_blocks}")
        digests = b"".join(base64.b64decode(snapshot.blocks[index].checksum or "") for index in written)
        if checksum not in {None, base64.b64encode(hashlib.sha256(digests).digest()).decode()}:
            raise _invalid("INVALID_PARAMETER_VALUE", "The checksum of the blocks does not match")
        self.complete_snapshot(snapshot_id)
        self.ec2_backend.snapshots[snapshot_id].status = "completed"

    def get_snapshot_block(self, snapshot_id: str, block_index: int) -> Block:
        snapshot = self.list_snapshot_blocks(snapshot_id)
        if block_index not in snapshot.blocks:
            raise EbsError("ResourceNotFoundException", "BLOCK_NOT_FOUND", f"No block {block_index}")
        return snapshot.blocks[block_index]

    def list_snapshot_blocks(self, snapshot_id: str) -> EBSSnapshot:
        snapshot = self._existing(snapshot_id)
        if snapshot.status != "completed":
            raise _invalid("INVALID_SNAPSHOT_ID", f"{snapshot_id} is not completed")
        return snapshot

    def _existing(self, snapshot_id: str) -> EBSSnapshot:
        if snapshot_id not in self.ec2_backend.snapshots:
            self.snapshots.pop(snapshot_id, None)
        if snapshot_id not in self.snapshots:
            raise EbsError("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", f"No snapshot {snapshot_id}")
        return self.snapshots[snapshot_id]

    def _pending(self, snapshot_id: str) -> EBSSnapshot:
        snapshot = self._existing(snapshot_id)
        if snapshot.status != "pending":
            raise _invalid("INVALID_SNAPSHOT_ID", f"{snapshot_id} is not pending")
        return snapshot

    def _parent(self, params: dict[str, Any]) -> EBSSnapshot | None:
        if "ParentSnapshotId" not in params:
            return None
        if {"Encrypted", "KmsKeyArn"} & params.keys():
            raise _invalid("INVALID_PARAMETER_VALUE", "A snapshot with a parent takes its encryption from it")
        return self.list_snapshot_blocks(params["ParentSnapshotId"])


class EbsCalls(EBSResponse):
    @property
    def ebs_backend(self) -> Ebs:
        backend = super().ebs_backend
        assert isinstance(backend, Ebs)
        return backend

    def start_snapshot(self) -> ActionResult:
        params = self._get_params()
        snapshot = self.ebs_backend.begin(params)
        return ActionResult(
            {
                "SnapshotId": snapshot.snapshot_id,
                "OwnerId": snapshot.account_id,
                "Status": snapshot.status,
                "StartTime": snapshot.start_time,
                "VolumeSize": snapshot.volume_size,
                "BlockSize": BLOCK_SIZE,
                "Tags": snapshot.tags,
                "Description": snapshot.description,
                "ParentSnapshotId": params.get("ParentSnapshotId"),
                "KmsKeyArn": params.get("KmsKeyArn"),
            }
        )

    def complete_snapshot(self) -> ActionResult:
        changed = self._get_int_param("ChangedBlocksCount", 0)
        self.ebs_backend.finish(self._get_param("SnapshotId"), changed, self._get_param("Checksum"))
        return ActionResult({"Status": "pending"})

    def get_snapshot_block(self) -> ActionResult:
        block = self.ebs_backend.get_snapshot_block(self._get_param("SnapshotId"), self._get_param("BlockIndex"))
        if self._get_param("BlockToken") != block.block_token:
            raise _invalid("INVALID_BLOCK_TOKEN", "The block token belongs to another block")
        return super().get_snapshot_block()

    def list_snapshot_blocks(self) -> ActionResult:
        snapshot = self.ebs_backend.list_snapshot_blocks(self._get_param("SnapshotId"))
        start = int(self._get_param("NextToken") or self._get_param("StartingBlockIndex") or 0)
        size = self._get_int_param("MaxResults", LARGEST_PAGE)
        indexes = sorted(index for index in snapshot.blocks if index >= start)
        page, rest = indexes[:size], indexes[size:]
        return ActionResult(
            {
                "Blocks": [{"BlockIndex": index, "BlockToken": snapshot.blocks[index].block_token} for index in page],
                "VolumeSize": snapshot.volume_size,
                "BlockSize": BLOCK_SIZE,
                "NextToken": str(rest[0]) if rest else None,
            }
        )


def _invalid(reason: str, message: str) -> EbsError:
    return EbsError("ValidationException", reason, message)


def install() -> None:
    """Puts this file in moto's place."""
    use_backend(ebs_backends, Ebs)
    use_response(urls, EBSResponse, EbsCalls)
