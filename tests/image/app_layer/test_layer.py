"""The app layer: the same inputs give the same bytes, and what is built runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from goldfleet.errors import ReleaseError
from image.app_layer.layer import build, cached
from image.app_layer.unpack import unpack
from image.launch.layer import AppLayer
from tests.image.app_layer.test_unpack import raw_volume
from tests.image.conftest import ROOT, write_checkout
from tests.local.control.running import wait_until

BUILD = """
import sys
from pathlib import Path
from image.app_layer.layer import build
print(build(Path(sys.argv[1]), ["app"]))
"""


def build_elsewhere(root: Path, cache: Path, **environment: str) -> subprocess.Popen[str]:
    """Builds in another process, with a cache of its own."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache), **environment}
    return subprocess.Popen([sys.executable, "-c", BUILD, str(root)], env=variables, text=True)


def test_the_same_inputs_give_the_same_bytes(checkout: Path, tmp_path: Path) -> None:
    layer = build(checkout, ["app"])
    other = write_checkout(tmp_path / "other folder")
    for path in other.rglob("*.py"):
        os.utime(path, (1, 1))
    umask = os.umask(0o077)
    try:
        strange = {"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7", "LANG": "C", "SOURCE_DATE_EPOCH": "99"}
        assert build_elsewhere(other, tmp_path / "other cache", **strange).wait(60) == 0
    finally:
        os.umask(umask)
    twin = tmp_path / "other cache" / "goldfleet" / "layers" / layer.file_system.name
    assert twin.read_bytes() == layer.file_system.read_bytes()


def test_what_is_built_runs_with_its_own_packages_and_nothing_else(checkout: Path, tmp_path: Path) -> None:
    built = build(checkout, ["app"])
    unpack(raw_volume(built, tmp_path / "app.raw"), tmp_path / "layer")
    layer = AppLayer.open(tmp_path / "layer")
    assert layer.release == built.release
    assert json.loads((layer.root / "manifest.json").read_text())["runtime"] == f"python3.{sys.version_info.minor}"
    assert (layer.root / "app" / "static" / "ä name.css").read_text() == "body {}\n"

    def run(*arguments: str) -> str:
        command, variables = layer.command(arguments), layer.variables({})
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=True, timeout=30).stdout

    assert run("-m", "app") == "served h11\n"
    seen = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    names = ("app", "goldfleet.contract", "goldfleet.errors", "boto3", "pytest", "pip", "image", "goldfleet.cli")
    assert run("-c", seen, *names) == "['app', 'goldfleet.contract', 'goldfleet.errors']\n"
    where = "import h11; print(h11.__cached__)"
    assert Path(run("-c", where).strip()).is_file()


def test_an_edit_of_the_app_builds_without_installing_again(checkout: Path, cache: Path) -> None:
    first = build(checkout, ["app"])
    (packages,) = (cache / "site-packages").iterdir()
    made = packages.stat().st_ino
    (checkout / "app" / "__main__.py").write_text("print('edited')\n")
    second = build(checkout, ["app"])
    assert second.release != first.release
    assert [path.stat().st_ino for path in (cache / "site-packages").iterdir()] == [made]
    assert cached(first.release) == first
    assert build(checkout, ["app"]) == second


def test_two_builds_at_once_and_a_killed_one_leave_whole_layers_only(checkout: Path, tmp_path: Path) -> None:
    cache = tmp_path / "shared"
    killed = build_elsewhere(checkout, cache)
    wait_until(lambda: list(cache.rglob(".new-*/tree")))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    builds = [build_elsewhere(checkout, cache) for _ in range(2)]
    assert [process.wait(60) for process in builds] == [0, 0]
    layers = [path for path in (cache / "goldfleet" / "layers").iterdir() if not path.name.startswith(".new-")]
    assert [path.suffix for path in layers] == [".iso"]


def test_a_package_that_is_not_what_the_lock_says_is_refused(checkout: Path) -> None:
    lock = checkout / "app" / "requirements.lock"
    lock.write_text("h11==0.16.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(ReleaseError, match="cannot be installed"):
        build(checkout, ["app"])


def test_a_module_that_does_not_compile_is_named(checkout: Path, cache: Path) -> None:
    (checkout / "app" / "broken.py").write_text("def\n")
    with pytest.raises(ReleaseError, match=r"does not compile.*app/broken\.py"):
        build(checkout, ["app"])
    assert not list((cache / "layers").iterdir())
