"""`goldfleet run`: one process of the app, from the files as they are, on the running local stores."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from watchfiles import run_process

from goldfleet.cli import local_cloud
from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.stack_account import LOCAL, names_of, session_of, settings_of
from goldfleet.cli.stack_view import find_group, told
from goldfleet.cli.terminal import Terminal
from goldfleet.contract import service
from goldfleet.contract.environment import PREFIX
from goldfleet.errors import GoldfleetError, SettingsError
from image.launch import environment
from image.launch.launcher import fetch, write_files
from image.launch.metadata import Clone

EXAMPLES = """\
  goldfleet run                http://127.0.0.1:8000, starts anew whenever a file of app/ or goldfleet/ changes
  goldfleet run --port 9000    on another port
"""

HOST = "127.0.0.1"
RELEASE = "working-tree"
MIGRATION_SECONDS = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it listens."""
    parser.add_argument("--port", type=int, default=service.PORT, help=f"TCP port (default: {service.PORT})")


def run(options: argparse.Namespace) -> int:
    """Runs `run`, until Ctrl-C."""
    terminal = Terminal()
    terminal.line(f"stack {options.stack}")
    if options.stack != LOCAL:
        raise SettingsError(f"stack {options.stack}", "`run` uses the local stores", "leave -s out")
    settings = settings_of(LOCAL).load()
    session = session_of(settings)
    user_data = told(session, find_group(session, names_of(settings)))
    if user_data is None:
        raise GoldfleetError("stack local", "there is no fleet yet", "run `goldfleet up` first")
    fetched = fetch(user_data, session)
    url = f"http://{HOST}:{options.port}"
    user_data = replace(user_data, public_url=url)
    clone = Clone(RELEASE, settings.aws.region + settings.network.zones[0], HOST, "")
    with tempfile.TemporaryDirectory(dir=local_cloud.FOLDER.instances, prefix="run-") as folder:
        runtime = Path(folder)
        migration = environment.migrating(user_data, clone, RELEASE, runtime, fetched)
        serving = environment.serving(user_data, clone, RELEASE, runtime, fetched)
        write_files(runtime, serving)
        write_files(runtime, migration)
        _migrate(migration)
        terminal.line(f"the app of this checkout: {url} (Ctrl-C ends it)")
        os.environ.clear()  # the reloader hands its own variables to the app
        os.environ.update(_variables(serving) | {PREFIX + "PORT": str(options.port)})
        command = shlex.join((sys.executable, *service.SERVE_COMMAND))
        run_process(CHECKOUT / "app", CHECKOUT / "goldfleet", target=command, target_type="command")
    return 0


def _migrate(process: environment.Process) -> None:
    command = [sys.executable, *service.MIGRATE_COMMAND]
    done = subprocess.run(command, cwd=CHECKOUT, env=_variables(process), timeout=MIGRATION_SECONDS, check=False)
    if done.returncode != 0:
        raise GoldfleetError("migration", f"ended with exit code {done.returncode}", "read the lines above")


def _variables(process: environment.Process) -> dict[str, str]:
    """Nothing of the person's environment but the path and the time zone."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    return kept | dict(process.variables) | {"PYTHONUNBUFFERED": "1"}
