"""`goldfleet run`: the app of the checkout, on the stores of the running cloud."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from typing import IO

import httpx

from local.run_folder import volatile_folder
from tests.fleet.cloud import INSTANCE, Cloud, wait

MARK = "edited a moment ago"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def printed(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout
    return process.stdout


def page_of(url: str) -> httpx.Response | None:
    try:
        return httpx.get(url, timeout=5)
    except httpx.HTTPError:
        return None


def shows(url: str, text: str) -> bool:
    page = page_of(url)
    return page is not None and text in page.text


def test_an_edit_is_answered_at_once_and_nothing_is_left(cloud: Cloud) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    template = cloud.folder / "app" / "templates" / "welcome.html"
    module = cloud.folder / "app" / "facts.py"
    texts = {path: path.read_text() for path in (template, module)}
    volatile = volatile_folder(cloud.recorded_run.network)
    before = set(volatile.iterdir())
    with cloud.start("run", "--port", str(port)) as process:
        try:
            assert any(url in line for line in printed(process))
            wait(lambda: page_of(url) is not None, 60)
            assert httpx.get(url).headers[INSTANCE] == "working-tree"
            user = {"name": f"run{port}", "password": "correct horse battery"}
            assert httpx.post(f"{url}/api/v1/users", json=user).status_code == 201

            template.write_text(texts[template].replace("{% block content %}", "{% block content %}" + MARK))
            wait(lambda: shows(url, MARK), 30)
            assert MARK not in httpx.get(cloud.url).text

            module.write_text("this is not Python")
            assert any("it ended with exit code 1" in line for line in printed(process))
            module.write_text(texts[module])
            wait(lambda: shows(url, MARK), 30)
        finally:
            for path, text in texts.items():
                path.write_text(text)
            os.killpg(process.pid, signal.SIGINT)
            text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text
    assert "Traceback" not in text
    assert page_of(url) is None
    assert set(volatile.iterdir()) == before
    assert not any(process.name.startswith("run-") for process in cloud.processes())
