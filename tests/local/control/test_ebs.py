"""Snapshots by EBS direct: written block by block, checked, and read back."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control
from tests.local.control.stack import BLOCK, checksum, make_snapshot


def _put(control: Control, snapshot_id: str, data: bytes, **options: Any) -> None:
    given = {
        "SnapshotId": snapshot_id,
        "BlockIndex": 0,
        "BlockData": data,
        "DataLength": len(data),
        "Checksum": checksum(data),
        "ChecksumAlgorithm": "SHA256",
    }
    control.client("ebs").put_snapshot_block(**{**given, **options})


def test_blocks_are_read_back_as_they_were_written(control: Control) -> None:
    ebs, blocks = control.client("ebs"), {3: b"c" * BLOCK, 0: b"a" * BLOCK, 7: b"z" * BLOCK}
    snapshot_id = make_snapshot(control, blocks)
    read: dict[int, bytes] = {}
    token: dict[str, str] = {}
    while True:
        page = ebs.list_snapshot_blocks(SnapshotId=snapshot_id, MaxResults=100, **token)
        assert page["BlockSize"] == BLOCK
        for block in page["Blocks"]:
            answer = ebs.get_snapshot_block(
                SnapshotId=snapshot_id, BlockIndex=block["BlockIndex"], BlockToken=block["BlockToken"]
            )
            read[block["BlockIndex"]] = answer["BlockData"].read()
            assert answer["Checksum"] == checksum(read[block["BlockIndex"]])
            assert answer["DataLength"] == BLOCK
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert list(read) == [0, 3, 7]
    assert read == blocks


def test_pages_lead_through_all_blocks(control: Control) -> None:
    ebs = control.client("ebs")
    snapshot_id = make_snapshot(control, {index: bytes([index]) * BLOCK for index in range(4)})
    first = ebs.list_snapshot_blocks(SnapshotId=snapshot_id, StartingBlockIndex=1)
    assert [block["BlockIndex"] for block in first["Blocks"]] == [1, 2, 3]


def test_encryption_is_decided_at_the_start(control: Control) -> None:
    plain, encrypted = make_snapshot(control, {}), make_snapshot(control, {}, Encrypted=True)
    snapshots = control.client("ec2").describe_snapshots(SnapshotIds=[plain, encrypted])["Snapshots"]
    assert {each["SnapshotId"]: each["Encrypted"] for each in snapshots} == {plain: False, encrypted: True}


def test_a_snapshot_is_pending_until_it_is_completed(control: Control) -> None:
    ebs, ec2 = control.client("ebs"), control.client("ec2")
    snapshot_id = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    _put(control, snapshot_id, b"a" * BLOCK)
    assert ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"][0]["State"] == "pending"
    with pytest.raises(ClientError, match="ValidationException"):
        ebs.list_snapshot_blocks(SnapshotId=snapshot_id)
    ebs.complete_snapshot(SnapshotId=snapshot_id, ChangedBlocksCount=1)
    assert ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"][0]["State"] == "completed"
    with pytest.raises(ClientError, match="ValidationException"):
        _put(control, snapshot_id, b"b" * BLOCK)


def test_the_same_client_token_is_the_same_snapshot(control: Control) -> None:
    ebs = control.client("ebs")
    ids = {ebs.start_snapshot(VolumeSize=1, ClientToken="once-only")["SnapshotId"] for _ in range(2)}
    assert len(ids) == 1


def test_a_client_token_names_one_request(control: Control) -> None:
    ebs = control.client("ebs")
    ebs.start_snapshot(VolumeSize=1, ClientToken="for-one-gib")
    with pytest.raises(ClientError, match="ConflictException"):
        ebs.start_snapshot(VolumeSize=2, ClientToken="for-one-gib")


def test_what_ebs_does_not_have_is_refused(control: Control) -> None:
    ebs, data = control.client("ebs"), b"a" * BLOCK
    with pytest.raises(ClientError, match="ValidationException"):
        ebs.start_snapshot(VolumeSize=65_537)
    snapshot_id = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    _put(control, snapshot_id, data, BlockIndex=2047)
    with pytest.raises(ClientError, match=r"ValidationException.*outside the volume"):
        _put(control, snapshot_id, data, BlockIndex=2048)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        _put(control, "snap-0123456789abcdef0", data)


def test_a_snapshot_is_completed_once(control: Control) -> None:
    ebs, snapshot_id = control.client("ebs"), make_snapshot(control, {})
    with pytest.raises(ClientError, match="ValidationException"):
        ebs.complete_snapshot(SnapshotId=snapshot_id, ChangedBlocksCount=0)


def test_a_snapshot_with_a_parent_has_the_parents_blocks(control: Control) -> None:
    parent = make_snapshot(control, {0: b"a" * BLOCK, 1: b"b" * BLOCK}, Encrypted=True)
    child = make_snapshot(control, {1: b"c" * BLOCK}, ParentSnapshotId=parent)
    blocks = control.client("ebs").list_snapshot_blocks(SnapshotId=child)["Blocks"]
    assert [block["BlockIndex"] for block in blocks] == [0, 1]
    with pytest.raises(ClientError, match="ValidationException"):
        make_snapshot(control, {}, ParentSnapshotId=parent, Encrypted=True)


@pytest.mark.parametrize(
    "wrong",
    [{"Checksum": checksum(b"other")}, {"DataLength": 5}, {"BlockData": b"short", "Checksum": checksum(b"short")}],
)
def test_a_damaged_block_is_refused(control: Control, wrong: dict[str, Any]) -> None:
    snapshot_id = control.client("ebs").start_snapshot(VolumeSize=1)["SnapshotId"]
    with pytest.raises(ClientError, match="ValidationException"):
        _put(control, snapshot_id, b"a" * BLOCK, **wrong)


def test_what_the_caller_believes_it_wrote_is_checked(control: Control) -> None:
    ebs, data = control.client("ebs"), b"a" * BLOCK
    snapshot_id = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    _put(control, snapshot_id, data)
    linear = {"ChecksumAlgorithm": "SHA256", "ChecksumAggregationMethod": "LINEAR"}
    for options in ({"ChangedBlocksCount": 2}, {"ChangedBlocksCount": 1, "Checksum": checksum(b"no"), **linear}):
        with pytest.raises(ClientError, match="ValidationException"):
            ebs.complete_snapshot(SnapshotId=snapshot_id, **options)
    whole = base64.b64encode(hashlib.sha256(hashlib.sha256(data).digest()).digest()).decode()
    ebs.complete_snapshot(SnapshotId=snapshot_id, ChangedBlocksCount=1, Checksum=whole, **linear)


def test_a_deleted_snapshot_has_no_blocks(control: Control) -> None:
    snapshot_id = make_snapshot(control, {0: b"a" * BLOCK})
    control.client("ec2").delete_snapshot(SnapshotId=snapshot_id)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        control.client("ebs").list_snapshot_blocks(SnapshotId=snapshot_id)
