"""The running local cloud, as chaos sees and breaks it: AWS's API, the site, and the processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO

from rich.console import Console

from goldfleet.aws_session import AwsSession
from goldfleet.cli import local_cloud
from goldfleet.cli.bring_up import bring_up
from goldfleet.cli.stack_account import LOCAL, names_of, session_of, settings_of
from goldfleet.cli.stack_view import Clone, View, find_group, observe
from goldfleet.cli.terminal import Terminal
from goldfleet.contract.names import Names
from goldfleet.errors import LocalCloudError
from infra.settings import Settings
from local import processes
from local.events import Events
from local.plane.control import Control
from local.processes import Process
from local.run_folder import RunFolder

WHOLE_SECONDS = 120
ALARMS = "AlarmNotification"
"""Auto Scaling's process that acts on alarms."""


@dataclass(frozen=True)
class Fleet:
    """The stack `local` of this checkout.

    Args:
        settings: as the person wrote them; chaos never changes their file.
        session: calls to AWS.
        names: names of the stack's resources.
    """

    settings: Settings
    session: AwsSession
    names: Names

    @classmethod
    def find(cls) -> Fleet:
        """The one that runs.

        Raises:
            LocalCloudError: none does.
        """
        settings = settings_of(LOCAL).load()
        return cls(settings, session_of(settings), names_of(settings))

    @property
    def folder(self) -> RunFolder:
        return local_cloud.FOLDER

    @property
    def events(self) -> Events:
        return Events(self.folder.events)

    @property
    def control(self) -> Control:
        """The control plane's own calls, beside AWS's."""
        return Control(self.session.account.endpoint or "", self.session.account.region)

    def view(self) -> View:
        """What AWS says of the stack, as `goldfleet status` shows it."""
        return observe(self.session, self.names, self.settings.fleet.desired)

    def serving(self) -> dict[str, Clone]:
        """Clones that the balancer trusts, by instance id."""
        return {clone.id: clone for clone in self.view().clones if clone.health == "healthy"}

    def has_replaced(self, gone: Collection[str], count: int) -> bool:
        """Whether the balancer trusts at least `count` clones, and none of those that are `gone`."""
        serving = self.serving()
        return len(serving) >= count and not serving.keys() & set(gone)

    def is_whole(self) -> bool:
        """Whether every clone that the group wants serves, none beside them is there, and every store is available."""
        view = self.view()
        trusted = all(clone.lifecycle == "InService" and clone.health == "healthy" for clone in view.clones)
        available = all(store.status == "available" for store in view.stores)
        return trusted and available and len(view.clones) == view.wanted >= view.min

    @contextmanager
    def unscaled(self) -> Iterator[None]:
        """While inside, alarms do not move the count of clones, so that what is seen is what the fault did."""
        autoscaling, group = self.session.client("autoscaling"), find_group(self.session, self.names)
        if ALARMS in {process["ProcessName"] for process in group["SuspendedProcesses"]}:
            yield
            return
        processes = {"AutoScalingGroupName": group["AutoScalingGroupName"], "ScalingProcesses": [ALARMS]}
        autoscaling.suspend_processes(**processes)
        try:
            yield
        finally:
            autoscaling.resume_processes(**processes)

    def make_whole(self) -> None:
        """Waits until it is whole; runs `goldfleet up` when it does not get so by itself.

        Raises:
            LocalCloudError: it is not whole afterwards.
        """
        if local_cloud.running() and processes.wait_until(self.is_whole, WHOLE_SECONDS, every=0.5):
            return
        self.up()

    def up(self) -> None:
        """Runs `goldfleet up`, silently, with the person's own settings and checkout.

        Raises:
            LocalCloudError: the fleet is not whole afterwards.
        """
        text = StringIO()
        bring_up(LOCAL, Terminal(Console(file=text, width=200)))
        if not processes.wait_until(self.is_whole, WHOLE_SECONDS, every=0.5):
            raise LocalCloudError(
                "stack local", f"not whole after `goldfleet up`\n{text.getvalue()}", "`goldfleet status`"
            )

    def processes(self, prefix: str = "") -> dict[str, Process]:
        """The run's living processes by name, where that starts with `prefix`; a clone's is its instance id."""
        found = {process.name: process for process in processes.recorded(self.folder)}
        return {name: process for name, process in found.items() if name.startswith(prefix)}

    def process(self, name: str) -> Process:
        """One process by name.

        Raises:
            LocalCloudError: it does not run.
        """
        try:
            return self.processes()[name]
        except KeyError as error:
            raise LocalCloudError(name, "does not run", "see `goldfleet status`") from error


def send(process: Process, how: signal.Signals) -> None:
    """Sends a signal to one process and nothing that it has started."""
    if process.alive:
        os.kill(process.pid, how)
