"""A running clone writes no file outside tmpfs: whatever it keeps lies in the stores. The kernel is asked, not the app.

The kernel counts what a process has written to anything that has a disk behind it (proc_pid_io(5), `write_bytes`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.limits import BODY
from goldfleet.contract.environment import Environment
from tests.app.conftest import PASSWORD, csrf_token, new_name
from tests.app.served import Served, serving

TMPFS = Path("/dev/shm")

pytestmark = pytest.mark.skipif(not TMPFS.is_dir(), reason="asks the Linux kernel what a process has written")


@contextmanager
def clone(environment: Environment) -> Iterator[Served]:
    # A release is read-only, compiled or not: here Python must be told to leave the checkout alone.
    with (
        tempfile.TemporaryDirectory(dir=TMPFS) as folder,
        serving(environment, Path(folder) / "output", PYTHONDONTWRITEBYTECODE="1") as made,
    ):
        yield made


def written(pid: int) -> int:
    """Bytes, to disks."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def open_to_write(pid: int) -> list[str]:
    """Paths of files that a process holds open to write to them; no sockets, pipes or devices."""
    paths = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        flags = int((Path(f"/proc/{pid}/fdinfo") / fd.name).read_text().split("flags:")[1].split()[0], 8)
        if flags & os.O_ACCMODE != os.O_RDONLY and fd.is_file():
            paths.append(str(fd.readlink()))
    return paths


WRITER = """
import sys, tempfile
print("ready", flush=True)
sys.stdin.readline()
with tempfile.NamedTemporaryFile(dir=sys.argv[1]) as file:
    file.write(b"x")
    file.flush()
    print(file.name, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("on_disk", [True, False])
def test_the_kernel_sees_one_byte_on_a_disk_and_none_on_tmpfs(on_disk: bool, tmp_path: Path) -> None:
    command = (sys.executable, "-B", "-c", WRITER, tmp_path if on_disk else TMPFS)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, bufsize=1, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        before = written(process.pid)
        process.stdin.write("go on\n")
        file = process.stdout.readline().strip()
        assert open_to_write(process.pid) == [file]
        assert (written(process.pid) > before) == on_disk


def test_whatever_it_is_asked_a_clone_writes_no_file(environment: Environment) -> None:
    # The first clone's reading may have its checkout's file system note when that was (relatime); the second's may not.
    with clone(environment) as served:
        ask_everything(served)
    with clone(environment) as served:
        ask_everything(served)
        assert written(served.process.pid) == 0
        assert open_to_write(served.process.pid) == [str(served.output)] * 2


def ask_everything(served: Served) -> None:
    name, other = new_name(), new_name()
    with httpx.Client(base_url=served.url) as browser, httpx.Client(base_url=f"{served.url}/api/v1") as program:
        for path in ("/", "/login", "/signup", "/static/style.css", "/healthz", "/readyz", "/nothing"):
            browser.get(path)
        answer = program.post("/users", json={"name": other, "password": PASSWORD})
        assert answer.status_code == 201
        program.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        token = csrf_token(browser.get("/signup"))
        form = {"csrf_token": token, "name": name, "password": PASSWORD}
        assert browser.post("/signup", data=form).status_code == 303
        for _ in range(3):
            assert program.post("/posts", json={"text": "hello"}).status_code == 201
            assert program.put(f"/users/{name}/follow").status_code == 204
            assert program.get("/feed").status_code == 200
            assert browser.get(f"/users/{other}").status_code == 200
        # Servers like to park what is uploaded in a temporary file.
        for size in (BODY // 2, BODY * 20):
            browser.post("/posts", files={"text": ("file", b"x" * size)})
            browser.post("/posts", content=b"x" * size)
        assert program.delete("/sessions").status_code == 204
