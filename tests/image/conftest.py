"""A small checkout to bake, a cache of its own, and one control plane for all tests here."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.told import Told, tell
from tests.local.control.running import Control, running_control

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with running_control(tmp_path_factory.mktemp("control")) as control:
        yield control


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What baking keeps, for one test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "goldfleet"


@pytest.fixture
def checkout(tmp_path: Path, cache: Path) -> Path:
    """A project with a tiny app and one locked package."""
    return write_checkout(tmp_path / "checkout")


def write_checkout(root: Path) -> Path:
    for part in ("contract", "state"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "goldfleet" / part, root / "goldfleet" / part, ignore=ignore)
    for name in ("__init__.py", "errors.py"):
        shutil.copy(ROOT / "goldfleet" / name, root / "goldfleet" / name)
    app = root / "app"
    (app / "static").mkdir(parents=True)
    (app / "__init__.py").write_text("")
    (app / "__main__.py").write_text("import h11\nNAMES = {'a', 'b', 'c', 'd'}\nprint('served', h11.__name__)\n")
    (app / "static" / "ä name.css").write_text("body {}\n")
    lock = (ROOT / "app" / "requirements.lock").read_text()
    pinned = re.search(r"^h11==.*?(?=^\S|\Z)", lock, re.DOTALL | re.MULTILINE)
    assert pinned
    (app / "requirements.lock").write_text(pinned.group())
    return root


@pytest.fixture
def told(control: Control) -> Iterator[Told]:
    told = tell(control)
    yield told
    told.metadata.close()
