"""Blocks and checksums of the EBS direct APIs. Decides only.

Source: AWS, "Use EBS direct APIs to access the contents of an EBS snapshot": 512 KiB blocks, SHA-256 in base64; the
checksum of the whole is the SHA-256 over the written blocks' digests in ascending order of their numbers (LINEAR).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

BLOCK = 512 * 1024

_ZEROS = bytes(BLOCK)


def is_zero(content: bytes) -> bool:
    """True for a block that need not be sent: what was never written reads as zeros."""
    return content == _ZEROS


def checksum(content: bytes) -> str:
    """A block's checksum, as PutSnapshotBlock takes it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def linear(checksums: Mapping[int, str]) -> str:
    """The checksum of the whole, as CompleteSnapshot takes it.

    Args:
        checksums: block number -> the block's checksum, for every block that was written.
    """
    whole = hashlib.sha256()
    for number in sorted(checksums):
        whole.update(base64.b64decode(checksums[number]))
    return base64.b64encode(whole.digest()).decode()
