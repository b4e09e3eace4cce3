"""What `up`, `scale` and `deploy` end in: the settings are checked, the program runs, the site answers."""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from goldfleet.cli import local_cloud, release, summary
from goldfleet.cli.checkout import CHECKOUT, cache_folder
from goldfleet.cli.engine import Engine, Project
from goldfleet.cli.local_project import LocalProject
from goldfleet.cli.program import Program
from goldfleet.cli.pulumi_finder import find_pulumi
from goldfleet.cli.put_back import put_back
from goldfleet.cli.stack_account import LOCAL, names_of, project_name, session_of, settings_of
from goldfleet.cli.stack_view import observe
from goldfleet.cli.terminal import Terminal
from goldfleet.contract.service import HEALTH_PATH
from goldfleet.errors import GoldfleetError, LocalCloudError
from infra.settings import Settings

ANSWER_SECONDS = 60
PLUGINS = {
    "aws": CHECKOUT / "local" / "provider" / "plugins" / "aws",
    "random": CHECKOUT / "local" / "provider" / "plugins" / "random",
    "goldfleet": CHECKOUT / "infra" / "provider",
}


def start_cloud(stack: str, terminal: Terminal) -> Settings:
    """The checked settings; for `local` the control plane runs when this returns, started if need be.

    Raises:
        SettingsError: a rule is broken; nothing was started.
    """
    settings = settings_of(stack).load()
    if stack != LOCAL or local_cloud.running():
        return settings
    with terminal.step("starting the local cloud") as step:
        supervisor = local_cloud.begin(settings.aws.region, step.note)
        local_cloud.wait_ready(supervisor)
    return settings_of(stack).load()


def bring_up(stack: str, terminal: Terminal) -> None:
    """Makes the stack what its settings say, and waits until it answers; the caller holds the checkout's lock.

    Args:
        stack: name of the stack.
        terminal: shows what happens.
    """
    if stack == LOCAL and not local_cloud.running():
        release.require_available(settings_of(stack).load())
    program = Program()
    settings = start_cloud(stack, terminal)
    pulumi = find_pulumi(cache_folder(), terminal.line)
    try:
        if stack == LOCAL:
            outputs = _local(settings, program, pulumi, terminal)
        else:
            outputs = _apply(Project(CHECKOUT, stack, program, pulumi, _environment()), terminal, unfinished=None)
    except GoldfleetError as error:
        raise put_back(stack, error, terminal) from error
    for notice in outputs["notices"]:
        terminal.line(f"note: {notice}")


def _local(settings: Settings, program: Callable[[], None], pulumi: Path, terminal: Terminal) -> dict[str, Any]:
    folder = local_cloud.FOLDER
    local = LocalProject(project_name(), folder.project, folder.pulumi, PLUGINS, pulumi)
    project = local.write(LOCAL, settings_of(LOCAL).raw(), program)
    with terminal.step("looking up the release") as step:
        release.restore(settings, session_of(settings), step)
    outputs = _apply(project, terminal, unfinished=folder.project / "unfinished")
    with terminal.step("waiting for the first answer"):
        wait_for_answer(outputs["public_url"] + HEALTH_PATH)
    return outputs


def _apply(project: Project, terminal: Terminal, unfinished: Path | None) -> dict[str, Any]:
    """Runs the program.

    Args:
        project: the stack.
        terminal: shows the resources.
        unfinished: marks an `up` that has not ended; where it is found, the last one was killed, and its lock and
            half-made resources are cleared first. None where another person's `up` may be the one that runs.
    """
    with terminal.step(f"pulumi up, stack {project.stack}") as step:
        engine = Engine(project)
        if unfinished is None:
            return engine.up(step.on_event)
        if unfinished.exists():
            step.note("clearing what a killed up left")
            local_cloud.end_lost_engine(step.note)
            engine.recover()
        unfinished.touch()
        try:
            return engine.up(step.on_event)
        finally:
            unfinished.unlink()  # not reached when this process is killed


def wait_for_answer(url: str, seconds: float = ANSWER_SECONDS) -> None:
    """Waits until a GET of `url` answers 200.

    Raises:
        LocalCloudError: it does not within `seconds`; the last answer is named.
    """
    deadline = time.monotonic() + seconds
    last = "no answer"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  the balancer's own address
                if answer.status == 200:
                    return
                last = f"status {answer.status}"
        except urllib.error.HTTPError as error:
            last = f"status {error.code}"
        except OSError as error:
            last = str(getattr(error, "reason", error))
        time.sleep(0.1)
    raise LocalCloudError(url, f"no answer within {seconds:.0f} s ({last})", "see `goldfleet status`")


def _environment() -> Mapping[str, str]:
    """On AWS the person's own environment is what leads to their account and state."""
    return {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}


def show_stack(stack: str, terminal: Terminal) -> None:
    """What runs now, and what a person may do next."""
    settings = settings_of(stack).load()
    summary.show_result(observe(session_of(settings), names_of(settings), settings.fleet.desired), terminal)
