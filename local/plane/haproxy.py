"""HAProxy in the load balancers' place: starts and reloads it. Targets come and go in `target_health`."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from goldfleet.errors import LocalCloudError
from local import processes
from local.accounts import Account, unprivileged
from local.plane.actor import OneShot, clean_environment, end, last_line, wait_ready
from local.plane.haproxy_api import RuntimeApi
from local.plane.haproxy_config import configuration
from local.plane.request_log import RequestLog
from local.plane.wanted_balancing import Balancing, Target
from local.processes import Program, spawn, wait_until
from local.run_folder import RunFolder
from local.tools import HAPROXY, Programs, find

_STOP = 5.0
_CHECK = 10.0


class HAProxy:
    """The actor for the balancer.

    Args:
        folder: the run.
        api: its runtime API; the socket's folder is made here.
        in_rotation: says which targets get requests from the start.
        requests: counts what is answered.
    """

    def __init__(
        self,
        folder: RunFolder,
        api: RuntimeApi,
        in_rotation: Callable[[], Iterable[Target]],
        requests: RequestLog,
    ) -> None:
        self._requests = requests
        self._folder = folder
        self._in_rotation = in_rotation
        self._found: tuple[Programs, Account] | None = None
        self._api = api

    def start(self, spec: Balancing) -> subprocess.Popen[bytes]:
        programs, account = self._tools()
        account.make_folder(self._api.path.parent)
        account.make_folder(self._home)
        self._requests.open(account)
        self._configure(spec)
        process = spawn(
            self._folder,
            Program(
                name=spec.name,
                command=(programs["haproxy"], "-W", "-db", "-f", str(self._home / "haproxy.cfg")),
                cwd=self._home,
                output=self._home / "log",
                environment=clean_environment(),
                account=account,
            ),
        )
        wait_ready(process, self._api.answers, self._home / "log")
        return process

    def change(
        self,
        process: subprocess.Popen[bytes],
        before: Balancing,  # noqa: ARG002  every actor is told
        spec: Balancing,
    ) -> subprocess.Popen[bytes]:
        """Reloads: a new worker takes the listening sockets over, the old one ends when its connections have."""
        self._configure(spec)
        worker = self._api.worker()
        process.send_signal(signal.SIGUSR2)
        if not wait_until(lambda: self._api.worker() not in (worker, None), _CHECK):
            raise LocalCloudError("balancer", f"did not reload: {last_line(self._home / 'log')}", "read its log")
        return process

    def stop(
        self,
        process: subprocess.Popen[bytes] | None,
        spec: Balancing,
        *,
        forget: bool,  # noqa: ARG002  a balancer has no data
    ) -> None:
        end(process, signal.SIGTERM, _STOP)
        processes.forget(self._folder, spec.name)

    @property
    def _home(self) -> Path:
        return self._folder.balancer

    def _tools(self) -> tuple[Programs, Account]:
        if self._found is None:
            programs = find(HAPROXY)
            self._found = programs, unprivileged([programs.folder / "haproxy", self._folder.balancer])
        return self._found

    def _configure(self, spec: Balancing) -> None:
        """Writes the configuration after HAProxy itself has found it right.

        Raises:
            LocalCloudError: it is wrong; the old one stays.
        """
        programs, account = self._tools()
        draft = self._home / "haproxy.cfg.new"
        account.write(draft, configuration(spec, self._in_rotation(), str(self._api.path), str(self._requests.path)))
        check = (programs["haproxy"], "-c", "-q", "-f", str(draft))
        OneShot(self._folder, account, clean_environment(), _CHECK).run(check)
        draft.replace(self._home / "haproxy.cfg")
