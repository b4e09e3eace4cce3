"""A small recipe, a Debian archive made for it, and the real OS layer of this checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from image.os_layer import tools
from image.os_layer.layer import OsLayer
from tests.image.conftest import ROOT
from tests.image.os_layer.baked import baked_os_layer
from tests.image.os_layer.debian import Archive, configure


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Archive:
    """The only archive that apt knows: a library, an app that needs it, and what is essential."""
    if not (tools.find("apt-get") and tools.find("dpkg-deb")):
        pytest.skip("apt is not installed here")
    archive = Archive(tmp_path / "debian")
    archive.add("base", "1", essential=True)
    archive.add("library", "1.0-1")
    archive.add("server", "2:3.0", depends="library (>= 1.0)")
    archive.add("unwanted", "1")
    monkeypatch.setenv("APT_CONFIG", str(configure(tmp_path / "apt", archive.entry())))
    return archive


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout that wants `server`."""
    root = tmp_path / "project"
    (root / "image").mkdir(parents=True)
    (root / "image/os.packages").write_text("# what is wanted, and why\nserver   answers requests\n")
    return root


@pytest.fixture(scope="session")
def baked() -> OsLayer:
    """The OS layer of this checkout."""
    return baked_os_layer(ROOT)
