"""Fetch, migrate, serve: the thin layer that acts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from goldfleet.contract import service
from goldfleet.contract.clone import UserData
from goldfleet.contract.deadlines import MIGRATION
from goldfleet.errors import ContractError, ReleaseError
from image.launch import authorities, environment, files, log
from image.launch.aws import Aws, Clients, Secrets, replicas
from image.launch.layer import AppLayer
from image.launch.metadata import Metadata


def launch(root: Path, runtime: Path, metadata: Metadata) -> NoReturn:
    """Brings this clone into service; the process becomes the app.

    Args:
        root: the app layer.
        runtime: a folder on a tmpfs, for this user alone.
        metadata: the clone's metadata service.

    Raises:
        GoldfleetError: a step failed; nothing serves.
    """
    layer = AppLayer.open(root)
    clone = metadata.clone()
    user_data = UserData.from_text(clone.user_data)
    fetched = fetch(user_data, Aws(user_data))
    files.private_folder(runtime)
    app = environment.serving(user_data, clone, layer.release, runtime, fetched)
    write_files(runtime, app)
    log.line("info", "launch", instance_id=clone.instance_id, release=layer.release, step="migrate")
    migrate(layer, runtime, environment.migrating(user_data, clone, layer.release, runtime, fetched))
    log.line("info", "launch", instance_id=clone.instance_id, release=layer.release, step="serve")
    command = layer.command(service.SERVE_COMMAND)
    os.chdir(layer.root)
    os.execve(command[0], command, layer.variables(app.variables))  # noqa: S606  the app takes this process over


def fetch(user_data: UserData, aws: Clients) -> environment.Fetched:
    """Reads every secret and parameter that the user data names, and the authorities."""
    secrets, ssm = Secrets(aws), aws.client("ssm")
    return environment.Fetched(
        apps=[secrets.login(shard.app_secret) for shard in user_data.shards],
        owners=[secrets.login(shard.owner_secret) for shard in user_data.shards],
        replicas=[replicas(ssm, shard.replicas_parameter) for shard in user_data.shards],
        sessions=secrets.login(user_data.sessions.secret),
        cache=secrets.login(user_data.cache.secret),
        secrets={name: secrets.text(secret) for name, secret in user_data.app_secrets.items()},
        authorities=authorities.bundle(user_data.authorities),
    )


def write_files(runtime: Path, process: environment.Process) -> None:
    """Writes what the process will read; its folders are this user's alone."""
    for name, text in process.files.items():
        path = runtime / name
        files.private_folder(path.parent)
        files.write(path, text)


def migrate(layer: AppLayer, runtime: Path, process: environment.Process, timeout: float = MIGRATION) -> None:
    """Runs the app's migration in a child process, the only one that ever sees the owner's credentials.

    Raises:
        ReleaseError: it failed, or ran longer than `timeout` seconds.
    """
    # The child must not outlive this process: run() kills it on the way out.
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        write_files(runtime, process)
        subprocess.run(
            layer.command(service.MIGRATE_COMMAND),
            cwd=layer.root,
            env=layer.variables(process.variables),
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise ReleaseError(
            "migration", f"ended with exit code {error.returncode}", "read the lines above, mend it and deploy again"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(
            "migration", f"not done after {timeout:.0f} seconds", "look for locks it waits for"
        ) from error
    finally:
        shutil.rmtree(runtime / environment.MIGRATE_FOLDER, ignore_errors=True)
        signal.signal(signal.SIGTERM, previous)


def runtime_folder(given: str | None) -> Path:
    """The folder from the command line, else systemd's `RUNTIME_DIRECTORY`.

    Raises:
        ContractError: neither is there, or it is not an absolute path.
    """
    path = Path(given or os.environ.get("RUNTIME_DIRECTORY", ""))
    if not path.is_absolute():
        raise ContractError(
            "RUNTIME_DIRECTORY", f"'{path}' is not an absolute path", "name a folder on a tmpfs for this clone"
        )
    return path
