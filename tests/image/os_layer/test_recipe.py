"""The digest moves with everything that decides bytes, and with nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from goldfleet.errors import ReleaseError
from image.os_layer import overlay, recipe
from image.os_layer.lock import Package
from image.os_layer.overlay import Entry
from image.os_layer.recipe import Recipe
from tests.image.conftest import ROOT

BASH = Package("bash", "5.2", "amd64", "ab" * 32, 12)
RECIPE = Recipe(
    wanted=("bash",),
    locked=(BASH,),
    initramfs=(Entry("usr/share/initramfs-tools/conf.d/goldfleet", content=b"MODULES=list\n"),),
    customise=b"#!/bin/sh\n",
    overlay=(Entry("etc/motd", content=b"hello"), Entry("etc/link", link="motd")),
    tools={"mmdebstrap": "1.3.5"},
)


@pytest.mark.parametrize(
    "change",
    [
        {"wanted": ("bash", "dash")},
        {"locked": (replace(BASH, version="5.3"),)},
        {"locked": (replace(BASH, sha256="cd" * 32),)},
        {"initramfs": ()},
        {"customise": b"#!/bin/sh\ntrue\n"},
        {"tools": {"mmdebstrap": "1.3.6"}},
    ],
)
def test_what_decides_the_packages_moves_both_digests(change: dict[str, object]) -> None:
    changed = replace(RECIPE, **change)  # type: ignore[arg-type]  # each value is of its field's type
    assert changed.packages_digest != RECIPE.packages_digest
    assert changed.digest != RECIPE.digest


@pytest.mark.parametrize(
    "entry",
    [
        Entry("etc/motd", content=b"hello!"),
        Entry("etc/motd", mode=0o755, content=b"hello"),
        Entry("etc/motd", link="hello"),
        Entry("etc/issue", content=b"hello"),
    ],
)
def test_what_is_laid_over_moves_the_layers_digest_only(entry: Entry) -> None:
    changed = replace(RECIPE, overlay=(entry, RECIPE.overlay[1]))
    assert changed.packages_digest == RECIPE.packages_digest
    assert changed.digest != RECIPE.digest


def write_project(root: Path) -> Path:
    for part in ("image/files", "image/initramfs", *overlay.CODE):
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, root / part, symlinks=True, dirs_exist_ok=True)
        else:
            (root / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / part, root / part)
    for name in ("image/os.lock", "image/os.packages", "image/customise"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.fixture
def digest(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    monkeypatch.setattr("image.os_layer.tools.versions", lambda: {"mmdebstrap": "1.3.5"})
    return recipe.digest


def test_neither_place_time_nor_umask_counts(tmp_path: Path, digest: Callable[[Path], str]) -> None:
    one = write_project(tmp_path / "one")
    other = write_project(tmp_path / "somewhere" / "else")
    for path in other.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (1, 1))
            path.chmod(path.stat().st_mode & 0o700)
    (other / "image/launch/__pycache__").mkdir(exist_ok=True)
    (other / "image/launch/__pycache__/x.pyc").write_bytes(b"compiled")
    assert digest(one) == digest(other)
    assert digest(one) == digest(ROOT)


def test_our_code_in_the_image_counts(tmp_path: Path, digest: Callable[[Path], str]) -> None:
    root = write_project(tmp_path)
    before = digest(root)
    (root / "image/launch/launcher.py").write_text("print('another launcher')\n")
    assert digest(root) != before


@pytest.mark.parametrize("part", ["image/customise", "image/os.packages", "image/os.lock", "image/sidecar"])
def test_a_missing_part_is_named(tmp_path: Path, digest: Callable[[Path], str], part: str) -> None:
    root = write_project(tmp_path)
    shutil.rmtree(root / part, ignore_errors=True)
    (root / part).unlink(missing_ok=True)
    with pytest.raises(ReleaseError, match=f"{part}: is missing"):
        digest(root)


def test_every_package_has_a_reason(tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    (tmp_path / "image/os.packages").write_text("# why\nbash   a shell\ncurl\n")
    with pytest.raises(ReleaseError, match=r"os\.packages:3: package curl has no reason"):
        recipe.wanted(tmp_path)
