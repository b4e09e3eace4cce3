"""A release of two small layers, and a project of its own for each test."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

import pytest

from image.bake import Baked
from image.registry.blocks import BLOCK
from image.registry.snapshots import Snapshots
from tests.image.registry.layers import Left, bake, write_disk
from tests.local.control.running import Control

APP_BYTES = 2 * BLOCK + 60 * 1024


@pytest.fixture
def project() -> str:
    return f"p{uuid.uuid4().hex[:10]}"


@pytest.fixture
def baked(tmp_path: Path, cache: Path) -> Baked:
    """Eight blocks of an OS at both ends of a disk, three of an app."""
    chance = random.Random(4)
    disk = write_disk(tmp_path / "os.raw", {number: chance.randbytes(BLOCK) for number in (*range(7), 2047)})
    app = tmp_path / "app.iso"
    app.write_bytes(chance.randbytes(APP_BYTES))
    return bake(chance.randbytes(32).hex(), disk, app)


@pytest.fixture
def snapshots(control: Control, project: str) -> Snapshots:
    return Snapshots(control.client("ec2"), control.client("ebs"), project, lambda _: None)


@pytest.fixture
def left(control: Control, project: str) -> Left:
    return Left(control, project)
