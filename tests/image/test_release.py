"""A release is its content, nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from goldfleet.errors import ReleaseError, ToolMissing
from image.os_layer import tools
from image.release import Runtime, digest, require_os_runtime, sources, working_tree
from tests.image.conftest import ROOT

APP, BOTH = ["app"], ["os", "app"]
HERE = Runtime("3.11.7", "linux_x86_64")


def test_the_same_content_is_the_same_release_wherever_and_whenever_it_lies(checkout: Path, tmp_path: Path) -> None:
    before = working_tree(checkout, APP)
    moved = checkout.rename(tmp_path / "elsewhere")
    (moved / "app" / "__pycache__").mkdir()
    (moved / "app" / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"x")
    (moved / "app" / ".hidden").write_text("x")
    (moved / "app" / "__main__.py~").write_text("x")
    (moved / "infra").mkdir()
    (moved / "infra" / "stack.py").write_text("our own code")
    os.utime(moved / "app" / "__main__.py", (1, 1))
    (moved / "app" / "__main__.py").chmod(0o600)
    assert working_tree(moved, APP) == before


@pytest.mark.parametrize(
    "edit",
    [
        lambda root: (root / "app" / "__main__.py").write_text("print('other')\n"),
        lambda root: (root / "app" / "__main__.py").rename(root / "app" / "main.py"),
        lambda root: (root / "app" / "new.html").write_text(""),
        lambda root: (root / "app" / "requirements.lock").write_text("h11==1.3.0\n"),
        lambda root: (root / "goldfleet" / "contract" / "deadlines.py").write_text("STOP = 21\n"),
        lambda root: (root / "goldfleet" / "state" / "__init__.py").write_text("# other\n"),
        lambda root: (root / "goldfleet" / "errors.py").write_text("# other\n"),
    ],
)
def test_other_content_is_another_release(checkout: Path, edit: Callable[[Path], object]) -> None:
    before = working_tree(checkout, APP)
    edit(checkout)
    assert working_tree(checkout, APP) != before


def test_runtime_platform_and_layers_are_part_of_the_release() -> None:
    digests = {
        digest({"app/a": "00"}, HERE, APP),
        digest({"app/a": "00"}, Runtime("3.11.8", "linux_x86_64"), APP),
        digest({"app/a": "00"}, Runtime("3.11.7", "linux_aarch64"), APP),
        digest({"app/a": "00"}, HERE, ["os", "app"]),
    }
    assert len(digests) == 4
    assert all(len(one) == 64 for one in digests)


def test_a_missing_part_and_a_link_are_named(checkout: Path) -> None:
    (checkout / "app" / "link").symlink_to("/etc/passwd")
    with pytest.raises(ReleaseError, match=r"app/link: is a symbolic link"):
        sources(checkout)
    (checkout / "goldfleet" / "errors.py").unlink()
    (checkout / "app" / "link").unlink()
    with pytest.raises(ReleaseError, match=r"errors\.py: is missing"):
        sources(checkout)


def test_the_digest_of_an_app_layer_alone_stays_what_it_was() -> None:
    assert digest({"app/a": "00"}, HERE, APP) == "e0e28c9cbf851d262735bc330e8253f3824fed1cda5fbdd3c165128d2684868d"


def test_another_os_layer_is_another_release() -> None:
    digests = {digest({"app/a": "00"}, HERE, BOTH, os_layer) for os_layer in ("", "0" * 64, "1" * 64)}
    assert len(digests) == 3
    assert digest({}, HERE, ["os", "app"], "0" * 64) == digest({}, HERE, ["app", "os"], "0" * 64)


@pytest.mark.parametrize(
    "runtime", [Runtime("3.12.1", "linux_x86_64"), Runtime("3.11.7", "linux_aarch64"), Runtime("3.11.7", "macosx_14")]
)
def test_an_app_layer_that_would_not_start_on_the_os_layer_is_refused(locked: Path, runtime: Runtime) -> None:
    with pytest.raises(ToolMissing, match=r"the OS layer runs python3\.11 on linux_x86_64, this is .*; make"):
        working_tree(locked, BOTH, runtime)
    require_os_runtime(locked, Runtime("3.11.2", "linux_x86_64"))
    assert working_tree(locked, APP, runtime) != working_tree(locked, APP)


def test_a_lock_without_python_is_refused(locked: Path) -> None:
    lock = locked / "image" / "os.lock"
    lock.write_text(lock.read_text().replace("python3.11 ", "perl "))
    with pytest.raises(ReleaseError, match=r"os\.lock: names 0 versions of Python"):
        require_os_runtime(locked, Runtime.here())


@pytest.fixture
def locked(checkout: Path) -> Path:
    """A checkout that locks an OS layer with Python 3.11."""
    lock = checkout / "image" / "os.lock"
    lock.parent.mkdir()
    packages = ("python3 3.11.2-1", "python3.11 3.11.2-6")
    lock.write_text("".join(f"{package} amd64 {'0' * 64} 1\n" for package in packages))
    return checkout


OURS = ("goldfleet/cli", "goldfleet/servicer", "infra", "local", "image/registry", "image/os_layer", "image/app_layer")
IN_THE_IMAGE = (
    "image/launch/launcher.py",
    "image/sidecar/shipper.py",
    "image/report/__main__.py",
    "image/files/etc/fstab",
    "image/customise",
    "image/initramfs/modules.d/goldfleet",
    "image/os.lock",
    "goldfleet/contract/clone.py",
    "app/posts.py",
)


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of all that a release is made from, and of all that makes it; with tools of fixed versions."""
    monkeypatch.setattr(tools, "versions", lambda: {"mmdebstrap": "1"})
    for part in ("app", "goldfleet", "image", "infra", "local"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_our_own_code_is_no_part_of_the_image(whole: Path) -> None:
    before = working_tree(whole, BOTH, HERE)
    code = [file for part in OURS for file in (whole / part).rglob("*.py")] + list((whole / "image").glob("*.py"))
    assert len(code) > 100
    for file in code:
        if file != whole / "image" / "__init__.py":
            file.write_text(file.read_text() + "# edited\n")
    assert working_tree(whole, BOTH, HERE) == before


@pytest.mark.parametrize("path", IN_THE_IMAGE)
def test_what_is_in_the_image_is_part_of_it(whole: Path, path: str) -> None:
    before = working_tree(whole, BOTH, HERE)
    with (whole / path).open("r+") as file:
        file.seek(0, 2)
        file.write(f"zz 1 all {'0' * 64} 1\n" if path == "image/os.lock" else "# edited\n")
    assert working_tree(whole, BOTH, HERE) != before
