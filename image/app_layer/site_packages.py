"""The app's locked packages, installed from wheels whose hashes are required, compiled, and kept by what decides them.

uv does it if this environment has it, else pip; what the two leave behind differently is taken away.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from goldfleet.errors import ReleaseError, ToolMissing
from image import cache
from image.release import LAYOUT, Runtime

TIMEOUT = 600
INSTALLER_NOTES = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json")


def ensure(lock: Path, runtime: Runtime) -> Path:
    """The folder with the installed packages; made at the first call for this lock and runtime.

    Args:
        lock: requirements with exact versions and hashes.
        runtime: what they are for: this interpreter.

    Raises:
        ReleaseError: a package cannot be had, or is not what the lock says.
        ToolMissing: neither uv nor pip is here.
    """
    told = f"{LAYOUT} {runtime.python} {runtime.platform} {lock.read_text(encoding='utf-8')}"
    target = cache.folder("site-packages") / hashlib.sha256(told.encode()).hexdigest()
    if not target.exists():
        with cache.workspace("site-packages") as folder:
            tree = folder / "tree"
            _install(lock, tree)
            _strip(tree)
            compile_tree(tree)
            cache.move(tree, target)
    return cache.used(target)


def compile_tree(tree: Path) -> None:
    """Compiles every module to bytecode that Python never checks against its source: the tree is read-only.

    Raises:
        ReleaseError: a module does not compile.
    """
    command = [sys.executable, "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(tree), str(tree)]
    environment = {"PATH": os.defpath}
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, env=environment, check=False)
    if done.returncode:
        raise ReleaseError("app layer", f"does not compile: {' '.join(done.stdout.split())}", "mend it and bake again")


def _install(lock: Path, target: Path) -> None:
    command = [*_installer(), "--no-deps", "--require-hashes", "--target", str(target), "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode:
        reason = " ".join(done.stderr.split())[-600:]
        raise ReleaseError(
            str(lock), f"the packages cannot be installed: {reason}", "reach the index, or mend the lock"
        )


def _installer() -> list[str]:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        return [uv, "pip", "install", "--quiet", "--no-build", "--python", sys.executable]
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        return [*pip, "--no-compile", "--only-binary", ":all:"]
    raise ToolMissing("app layer", "neither uv nor pip is in this environment", "run `make setup`")


def _strip(tree: Path) -> None:
    """Takes away scripts, for nobody calls them, and the installer's notes, for they name it and its time."""
    shutil.rmtree(tree / "bin", ignore_errors=True)
    (tree / ".lock").unlink(missing_ok=True)
    for notes in tree.glob("*.dist-info"):
        for name in INSTALLER_NOTES:
            (notes / name).unlink(missing_ok=True)
