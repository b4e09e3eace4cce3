"""`goldfleet run`: one process of the app, from the files as they are, on the running local stores."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from goldfleet.cli import local_cloud
from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.reloader import Reloader
from goldfleet.cli.stack_account import LOCAL, names_of, session_of, settings_of
from goldfleet.cli.stack_view import find_group, told
from goldfleet.cli.terminal import Terminal
from goldfleet.contract import deadlines, service
from goldfleet.contract.clone import UserData
from goldfleet.contract.environment import PREFIX
from goldfleet.errors import GoldfleetError, SettingsError
from image.launch import environment
from image.launch.launcher import fetch, write_files
from image.launch.metadata import Clone
from infra.settings import Settings
from local.run_folder import make_volatile_folder

EXAMPLES = """\
  goldfleet run                http://127.0.0.1:8000; starts anew whenever a file of the release changes
  goldfleet run --port 9000    on another port
"""

HOST = "127.0.0.1"
RELEASE = "working-tree"
WATCHED = tuple(CHECKOUT / part for part in ("app", "goldfleet/contract", "goldfleet/state"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it listens."""
    parser.add_argument("--port", type=int, default=service.PORT, help=f"TCP port (default: {service.PORT})")


def run(options: argparse.Namespace) -> int:
    """Runs `run`, until Ctrl-C: that is how it is meant to end, so the exit code is 0 then."""
    terminal = Terminal()
    terminal.line(f"stack {options.stack}")
    if options.stack != LOCAL:
        raise SettingsError(f"stack {options.stack}", "`run` uses the local stores", "leave -s out")
    _require_free(options.port)
    settings = settings_of(LOCAL).load()
    url = f"http://{HOST}:{options.port}"
    with _variables(settings, url) as variables:
        terminal.line(f"the app of this checkout: {url} (Ctrl-C ends it)")
        Reloader(
            folder=local_cloud.FOLDER,
            name=f"run-{options.port}",
            command=(sys.executable, *service.SERVE_COMMAND),
            cwd=CHECKOUT,
            environment=variables | {PREFIX + "PORT": str(options.port)},
            watched=WATCHED,
            grace=deadlines.STOP,
            report=terminal.line,
        ).run()
    terminal.line("the app has ended")
    return 0


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "there is no such port"
            raise SettingsError(f"{HOST}:{port}", f"cannot listen there ({reason})", "choose another --port") from error


@contextmanager
def _variables(settings: Settings, url: str) -> Iterator[dict[str, str]]:
    """Variables of the app; the files that they name are in memory and last as long as this is entered.

    The databases have been migrated then.
    """
    run = local_cloud.require_running()
    session = session_of(settings)
    user_data = told(session, find_group(session, names_of(settings)))
    if user_data is None:
        raise GoldfleetError("stack local", "there is no fleet yet", "run `goldfleet up` first")
    here: UserData = replace(user_data, public_url=url)
    fetched = fetch(here, session)
    clone = Clone(RELEASE, settings.aws.region + settings.network.zones[0], HOST, "")
    parent = make_volatile_folder(run.network)
    # `goldfleet down` may have removed it already.
    with tempfile.TemporaryDirectory(dir=parent, prefix="run-", ignore_cleanup_errors=True) as folder:
        runtime = Path(folder)
        serving = environment.serving(here, clone, RELEASE, runtime, fetched)
        write_files(runtime, serving)  # the migration sets these passwords
        _migrate(environment.migrating(here, clone, RELEASE, runtime, fetched), runtime)
        yield _beside_the_path(serving.variables)


def _migrate(process: environment.Process, runtime: Path) -> None:
    """Runs the migration; the owner's credentials are gone when it has ended."""
    write_files(runtime, process)
    command = [sys.executable, *service.MIGRATE_COMMAND]
    try:
        done = subprocess.run(
            command, cwd=CHECKOUT, env=_beside_the_path(process.variables), timeout=deadlines.MIGRATION, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise GoldfleetError(
            "migration", f"not done after {deadlines.MIGRATION} s", "look for locks it waits for"
        ) from error
    finally:
        shutil.rmtree(runtime / environment.MIGRATE_FOLDER, ignore_errors=True)
    if done.returncode != 0:
        raise GoldfleetError("migration", f"ended with exit code {done.returncode}", "read the lines above")


def _beside_the_path(variables: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the person's environment but the path and the time zone."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    return kept | dict(variables) | {"PYTHONUNBUFFERED": "1"}
