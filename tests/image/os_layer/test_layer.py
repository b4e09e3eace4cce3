"""The real OS layer: what is in its root file system, and what must not be; that a killed bake leaves nothing half."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from image import cache, gpt
from image.os_layer import disk, esp, layer, recipe, tree
from image.os_layer.layer import OsLayer
from tests.image.conftest import ROOT
from tests.image.os_layer.baked import SECONDS

Root = Mapping[str, tuple[tarfile.TarInfo, bytes]]
"""Path -> how it lies there, and its content if it is small."""

pytestmark = pytest.mark.timeout(SECONDS)

LOGINS = ("sshd", "in.telnetd", "dropbear")
SECRETS = (b"PRIVATE KEY-----", b"OPENSSH PRIVATE")


@pytest.fixture(scope="module")
def root(baked: OsLayer, tmp_path_factory: pytest.TempPathFactory) -> Root:
    """The root file system as it was laid out."""
    target = tmp_path_factory.mktemp("tree") / "root.tar"
    wanted = recipe.read(ROOT)
    packages = cache.folder("os-packages") / f"{wanted.packages_digest}.tar"
    tree.write(packages, wanted.overlay, target)
    with tarfile.open(target) as tar:
        return {info.name: (info, _content(tar, info)) for info in tar}


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(info) if info.isreg() and info.size < 100_000 else None
    return file.read() if file else b""


def test_the_disk_holds_both_partitions(baked: OsLayer) -> None:
    with baked.disk.open("rb") as file:
        head = file.read(gpt.START * gpt.SECTOR + esp.BYTES)
        root = file.read(4)
    assert head[gpt.START * gpt.SECTOR + 82 :].startswith(b"FAT32")
    assert f"root=PARTUUID={disk.root_id(baked.digest)}".encode() in head
    assert root == b"hsqs"


def test_every_package_is_in_the_bill_of_materials(baked: OsLayer) -> None:
    document = json.loads(baked.sbom.read_text())
    assert len(document["packages"]) == baked.packages + 1


def test_a_second_build_finds_the_first(baked: OsLayer) -> None:
    said: list[str] = []
    assert layer.build(ROOT, said.append) == baked
    assert said == ["OS layer: from the cache"]


def test_nothing_of_the_machine_that_baked_is_in_it(root: Root) -> None:
    assert {"etc/hostname", "etc/apt", "root/.ssh"}.isdisjoint(root)
    assert root["etc/resolv.conf"][1] == (ROOT / "image/files/etc/resolv.conf").read_bytes()
    assert not [path for path in root if re.match(r"(boot|dev|proc|run|sys|tmp|var)/", path)]
    assert root["etc/machine-id"][1] in (b"", b"uninitialized\n")
    host = os.uname().nodename.encode()
    assert not [path for path, (_, content) in root.items() if path.startswith("etc/") and host in content.split()]


def test_no_way_to_log_in_and_no_secret_is_in_it(root: Root) -> None:
    assert not [path for path in root if path.rpartition("/")[2] in LOGINS]
    passwords = [line.split(b":")[1] for line in root["etc/shadow"][1].splitlines()]
    assert all(password.startswith((b"!", b"*")) for password in passwords)
    keys = [path for path, (_, content) in root.items() if any(secret in content for secret in SECRETS)]
    assert [path for path in keys if not path.endswith((".py", ".pyc"))] == []


def test_owners_and_permissions(root: Root) -> None:
    writable = [path for path, (info, _) in root.items() if info.mode & 0o002 and not info.issym() and path != "tmp"]
    assert writable == []
    assert {info.mtime for info, _ in root.values()} == {recipe.EPOCH}
    laid = {entry.path for entry in recipe.read(ROOT).overlay}
    assert all((info.uid, info.gid) == (0, 0) for path, (info, _) in root.items() if path in laid)
    assert laid <= root.keys()


@pytest.fixture
def bake_of_a_copy(tmp_path: Path, baked: OsLayer) -> Iterator[subprocess.Popen[str]]:
    """A bake of stage 1 that has begun, with a cache of its own; ended afterwards."""
    own = tmp_path / "cache" / "goldfleet"
    own.mkdir(parents=True)
    (own / "debs").symlink_to(cache.folder("debs"))
    script = (
        "import sys, pathlib; from image.os_layer import layer;"
        "layer.build(pathlib.Path(sys.argv[1]), lambda text: print(text, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(ROOT)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)},
        start_new_session=True,
    ) as process:
        yield process
        process.kill()


def test_a_killed_bake_leaves_nothing_half(bake_of_a_copy: subprocess.Popen[str], tmp_path: Path) -> None:
    for line in bake_of_a_copy.stdout or ():
        if "extracting" in line:
            break
    bake_of_a_copy.send_signal(signal.SIGINT)
    assert bake_of_a_copy.wait(60) != 0
    assert list((tmp_path / "cache/goldfleet/os-packages").iterdir()) == []
    assert not list(tmp_path.glob("goldfleet-bake-*"))
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
