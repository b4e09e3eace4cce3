"""An app volume becomes a read-only tree, or nothing."""

from __future__ import annotations

import io
import stat
import subprocess
import sys
from pathlib import Path

import pycdlib
import pytest

from goldfleet.errors import ReleaseError
from image import gpt
from image.app_layer import iso
from image.app_layer.layer import CONTENTS, Layer
from image.app_layer.unpack import unpack
from image.registry.blocks import BLOCK
from image.registry.volume import GIB, app_volume
from image.release import file_digest

RELEASE = "ab" * 32


def raw_volume(layer: Layer, target: Path) -> Path:
    """The bytes that a volume made of the layer's snapshot holds, sparse."""
    volume = app_volume(layer.release, layer.file_system)
    with target.open("wb") as file:
        file.truncate(volume.gibibytes * GIB)
        for number in volume.block_numbers():
            file.seek(number * BLOCK)
            file.write(volume.block(number))
    return target


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume with three files."""
    files = {}
    for name, text in {"manifest.json": "{}", "app/a.py": "A = 1\n" * 9000, "app/deep/er/b.txt": ""}.items():
        files[name] = tmp_path / "source" / name
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(text)
    files[CONTENTS] = tmp_path / "source" / CONTENTS
    lines = [f"{file_digest(path)}  {name}\n" for name, path in files.items() if name != CONTENTS]
    files[CONTENTS].write_text("".join(lines))
    iso.write(files, tmp_path / "layer.iso")
    return raw_volume(Layer(RELEASE, tmp_path / "layer.iso"), tmp_path / "app.raw")


def damage(volume: Path, offset: int, content: bytes) -> None:
    with volume.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def test_the_tree_is_complete_and_read_only(volume: Path, tmp_path: Path) -> None:
    target = tmp_path / "releases" / "one"
    command = [sys.executable, "-m", "image.app_layer.unpack", "--snapshot-file", str(volume), str(target)]
    subprocess.run(command, check=True, timeout=60)
    found = {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    expected = {name: (tmp_path / "source" / name).read_bytes() for name in found}
    assert found == expected
    assert len(found) == 4
    for path in (target, *target.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o555 if path.is_dir() else 0o444)
    assert [path.name for path in target.parent.iterdir()] == ["one"]


def test_unpacking_again_changes_nothing_and_never_another_tree(volume: Path, tmp_path: Path) -> None:
    unpack(volume, tmp_path / "tree")
    made = (tmp_path / "tree").stat().st_ino
    unpack(volume, tmp_path / "tree")
    assert (tmp_path / "tree").stat().st_ino == made
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").write_text("mine")
    with pytest.raises(ReleaseError, match="holds something else"):
        unpack(volume, tmp_path / "other")
    assert (tmp_path / "other" / "mine").read_text() == "mine"


@pytest.mark.parametrize("size", [0, 100, gpt.SECTOR * 2, gpt.SECTOR * 40, BLOCK * 2, BLOCK * 2 + 60_000])
def test_a_volume_that_ends_early_is_refused(volume: Path, tmp_path: Path, size: int) -> None:
    with volume.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(ReleaseError, match="app volume"):
        unpack(volume, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
    assert not list(tmp_path.glob(".tree-*"))


def test_one_wrong_byte_anywhere_is_found(volume: Path, tmp_path: Path) -> None:
    with volume.open("rb") as file:
        content = file.read(BLOCK * 4)
    for offset in (content.index(b"A = 1"), gpt.SECTOR + 40, gpt.SECTOR * 2 + 3, BLOCK * 2 + 16 * 2048 + 1):
        damage(volume, offset, bytes([content[offset] ^ 0x10]))
        with pytest.raises(ReleaseError):
            unpack(volume, tmp_path / "tree")
        damage(volume, offset, content[offset : offset + 1])
    unpack(volume, tmp_path / "tree")


def test_names_that_lead_out_and_links_are_refused(tmp_path: Path) -> None:
    for number, (name, link) in enumerate([("../evil", None), ("..", None), ("link", "/etc/passwd")]):
        image = pycdlib.PyCdlib()
        image.new(interchange_level=4, rock_ridge="1.12")
        # The library refuses some of these names itself: they are put in afterwards.
        plain = "x" * len(name)
        if link:
            image.add_symlink("/L", rr_symlink_name=plain, rr_path=link)
        else:
            image.add_fp(io.BytesIO(b"evil"), 4, "/F", rr_name=plain)
        made = tmp_path / f"{number}.iso"
        image.write(str(made))
        image.close()
        made.write_bytes(made.read_bytes().replace(plain.encode(), name.encode()))
        volume = raw_volume(Layer(RELEASE, made), tmp_path / f"{number}.raw")
        with pytest.raises(ReleaseError, match="app volume"):
            unpack(volume, tmp_path / "inside" / "tree")
    assert not (tmp_path / "inside" / "evil").exists()
    assert not (tmp_path / "evil").exists()


def test_a_wrong_file_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "no").write_text("no volume")
    for name in ("no", "missing"):
        command = [
            sys.executable,
            "-m",
            "image.app_layer.unpack",
            "--snapshot-file",
            str(tmp_path / name),
            str(tmp_path / "t"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
