"""The launcher as a process: what the app sees, what only the migration sees, and how failures read."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goldfleet.contract.environment import Environment
from goldfleet.errors import ReleaseError
from image.launch import authorities
from image.launch.aws import replicas
from image.launch.environment import Process
from image.launch.launcher import migrate
from image.launch.layer import AppLayer
from tests.image.told import Told, tell
from tests.local.control.running import Control, wait_until

RELEASE = "ab" * 32
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"

DUMP = """
import json, os, pathlib, sys
files = {str(path): path.read_text() for path in pathlib.Path(os.environ["RUN"]).rglob("*") if path.is_file()}
told = {"variables": dict(os.environ), "files": files, "path": sys.path}
told |= {"cwd": os.getcwd(), "pid": os.getpid(), "ppid": os.getppid()}
pathlib.Path(os.environ["OUT"], __spec__.name + ".json").write_text(json.dumps(told))
"""


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A layer whose app and migration write down what they see."""
    root = tmp_path / "layer"
    for name in ("app/__main__.py", "app/migrate.py"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(DUMP)
    (root / "app" / "__init__.py").write_text("")
    (root / "site-packages").mkdir()
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (root / "manifest.json").write_text(json.dumps({"release": RELEASE, "runtime": runtime, "platform": "any"}))
    return root


@pytest.fixture
def launch(control: Control, layer: Path, tmp_path: Path) -> Any:
    """Runs the launcher in a clone; changes are the user data's."""
    runtime, out = tmp_path / "run", tmp_path / "out"
    out.mkdir()
    started: list[Told] = []

    def run(**changes: Any) -> subprocess.CompletedProcess[str]:
        extra = {"GREETING": "hello", "RUN": str(runtime), "OUT": str(out)}
        told = tell(control, **{"app_environment": extra, **changes})
        started.append(told)
        command = told.command("image.launch", "--layer", str(layer))
        return subprocess.run(
            command, env=told.variables(runtime), capture_output=True, text=True, check=False, timeout=60
        )

    yield run
    for told in started:
        told.metadata.close()


def seen(tmp_path: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "out" / f"{name}.json").read_text())
    return found


def test_a_clone_without_a_list_of_replicas_reads_from_the_main() -> None:
    assert replicas(None, "") == "[]"


def test_the_app_sees_the_contract_and_nothing_else(launch: Callable[..., Any], tmp_path: Path, layer: Path) -> None:
    done = launch()
    assert done.returncode == 0, done.stderr
    app, run = seen(tmp_path, "app.__main__"), tmp_path / "run"
    environment = Environment.from_variables(app["variables"])
    assert environment.release == RELEASE
    assert (environment.host, environment.port) == ("127.10.0.7", 8000)
    assert (environment.instance_id, environment.zone) == ("i-0123456789abcdef0", "eu-central-1b")
    (shard,) = environment.shards
    assert (shard.username, app["files"][shard.password_file]) == ("app-user", "app-password")
    assert json.loads(app["files"][shard.replicas_file]) == ["127.11.0.9:5432"]
    for store, name in ((environment.sessions, "sessions"), (environment.cache, "cache")):
        assert (store.username, app["files"][store.password_file]) == (f"{name}-user", f"{name}-password")
    assert app["files"][f"{environment.secrets_dir}/mail_key"] == "mail-key\n"
    assert app["variables"]["GREETING"] == "hello"
    ours = {name for name in app["variables"] if name.startswith("GOLDFLEET_")}
    assert ours == {f"GOLDFLEET_{field.name.upper()}" for field in dataclasses.fields(Environment)}
    assert set(app["variables"]) - ours == {"GREETING", "RUN", "OUT", "PATH", "LANG", "PYTHONPATH"} | (
        {"LC_CTYPE"} & set(app["variables"])
    )
    assert app["cwd"] == str(layer)
    installed = [path for path in app["path"] if "site-packages" in path]
    assert installed == [str(layer / "site-packages")]
    assert not any(str(Path(sys.prefix)) in path for path in app["path"] if sys.prefix != sys.base_prefix)
    for path in (run, *run.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_only_the_migration_sees_the_owner(launch: Callable[..., Any], tmp_path: Path) -> None:
    assert launch().returncode == 0
    migration, app = seen(tmp_path, "app.migrate"), seen(tmp_path, "app.__main__")
    (shard,) = Environment.from_variables(migration["variables"]).shards
    assert (shard.username, migration["files"][shard.password_file]) == ("owner-user", "owner-password")
    (role,) = json.loads(migration["files"][migration["variables"]["GOLDFLEET_APP_ROLES"]])
    assert (role["username"], migration["files"][role["password_file"]]) == ("app-user", "app-password")
    assert migration["ppid"] == app["pid"]
    assert "owner" not in json.dumps(app)
    assert not list((tmp_path / "run").rglob("*owner*"))


def test_a_failed_migration_serves_nothing_and_says_why(
    launch: Callable[..., Any], layer: Path, tmp_path: Path
) -> None:
    (layer / "app" / "migrate.py").write_text("raise SystemExit(3)")
    done = launch()
    assert done.returncode == 1
    last = json.loads(done.stderr.splitlines()[-1])
    assert last["level"] == "error"
    assert "migration: ended with exit code 3" in last["reason"]
    assert not (tmp_path / "out" / "app.__main__.json").exists()
    assert not list((tmp_path / "run").rglob("*owner*"))
    assert "password" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aws_endpoint": "http://10.0.0.1:4566"}, "is not a loopback or link-local address"),
        ({"aws_endpoint": "http://localhost.example.org:4566"}, "is not a loopback or link-local address"),
        ({"authorities": "/etc/ssl/ca.pem"}, "user data: authorities: no certificate in it"),
        ({"app_secrets": {"x": "nothing"}}, "secret nothing: cannot be read"),
        ({"app_secrets": {"../x": "nothing"}}, "secret nothing: cannot be read"),
        ({"app_environment": {"GOLDFLEET_STACK": "other"}}, "names starting with GOLDFLEET_ and PYTHON are taken"),
        ({"version": 2}, "user data: version 2, expected 1"),
    ],
)
def test_a_clone_that_is_told_nonsense_does_not_serve(
    launch: Callable[..., Any], tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    done = launch(**changes)
    assert done.returncode == 1
    assert reason in json.loads(done.stderr.splitlines()[-1])["reason"]
    assert not (tmp_path / "out" / "app.__main__.json").exists()


def test_a_layer_for_another_python_is_refused(launch: Callable[..., Any], layer: Path) -> None:
    manifest = {"release": RELEASE, "runtime": "python2.7", "platform": "any"}
    (layer / "manifest.json").write_text(json.dumps(manifest))
    done = launch()
    assert done.returncode == 1
    assert "the layer needs python2.7" in done.stderr


def test_app_and_migration_trust_the_authorities_of_the_user_data(launch: Callable[..., Any], tmp_path: Path) -> None:
    assert launch(authorities=CERTIFICATE).returncode == 0
    for name in ("app.__main__", "app.migrate"):
        told = seen(tmp_path, name)
        text = told["files"][told["variables"]["SSL_CERT_FILE"]]
        assert text.endswith(CERTIFICATE)
        assert text.startswith(authorities.SYSTEM.read_text().strip())


def test_the_app_may_name_a_file_of_its_own(launch: Callable[..., Any], tmp_path: Path) -> None:
    own = {"SSL_CERT_FILE": "/the/apps/own.pem", "RUN": str(tmp_path / "run"), "OUT": str(tmp_path / "out")}
    assert launch(authorities=CERTIFICATE, app_environment=own).returncode == 0
    assert seen(tmp_path, "app.__main__")["variables"]["SSL_CERT_FILE"] == "/the/apps/own.pem"


def test_a_migration_that_hangs_is_ended(layer: Path, tmp_path: Path) -> None:
    (layer / "app" / "migrate.py").write_text("import time\ntime.sleep(600)")
    with pytest.raises(ReleaseError, match="not done after 0 seconds"):
        migrate(AppLayer.open(layer), tmp_path / "run", Process({}, {"migrate/owner": "x"}), timeout=0.3)
    assert not list((tmp_path / "run").rglob("*owner*"))


def test_stopping_the_launcher_ends_the_migration(told: Told, layer: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"import os, time\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    (layer / "app" / "migrate.py").write_text(script)
    command = told.command("image.launch", "--layer", str(layer))
    process = subprocess.Popen(command, env=told.variables(tmp_path / "run"))
    try:
        child = int(wait_until(lambda: pid_file.exists() and pid_file.read_text()))
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM
        wait_until(lambda: not Path(f"/proc/{child}").exists())
    finally:
        process.kill()
        process.wait()
    assert not list((tmp_path / "run").rglob("*owner*"))


def test_without_a_runtime_folder_nothing_starts(told: Told, layer: Path) -> None:
    variables = {**told.variables(Path("/")), "RUNTIME_DIRECTORY": ""}
    command = told.command("image.launch", "--layer", str(layer))
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "is not an absolute path" in done.stderr
    assert os.sep == "/"
