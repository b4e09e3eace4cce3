"""Moves targets through their life (see `rotation`): probes, HAProxy's runtime API, and what is known of both."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from goldfleet.errors import LocalCloudError
from local.events import Events
from local.plane import rotation
from local.plane.haproxy_api import FAILED, MISMATCH, TIMEOUT, Inventory, RuntimeApi, Server
from local.plane.rotation import Key, Member, Stage
from local.plane.wanted import Wanted
from local.plane.wanted_balancing import HealthCheck, Target

TICK = 0.2
_PROBES_AT_ONCE = 4


@dataclass(frozen=True)
class TargetView:
    """What is known of targets at one moment.

    Args:
        serving: instances that HAProxy may still send requests to, or whose requests it waits for.
        healthy_once: instances that were in rotation at some time.
        report: the states of all targets, as `rotation.states` gives them.
    """

    serving: frozenset[str]
    healthy_once: frozenset[str]
    report: dict[str, dict[str, dict[str, str]]]


class TargetHealth:
    """A thread that does the steps that are due, five times a second.

    Args:
        api: HAProxy's.
        events: where changes of health are recorded.
        changed: called when the view has changed.
    """

    def __init__(self, api: RuntimeApi, events: Events, changed: Callable[[], None]) -> None:
        self._api = api
        self._events = events
        self._changed = changed
        self._lock = threading.Lock()
        self._members: dict[Key, Member] = {}
        self._healthy_once: frozenset[str] = frozenset()
        self._report: dict[str, dict[str, dict[str, str]]] = {}
        self._complaints: frozenset[str] = frozenset()
        self._pool = ThreadPoolExecutor(_PROBES_AT_ONCE, "probe")

    def want(self, wanted: Wanted, started: frozenset[str]) -> None:
        """Takes over what AWS says of targets whose instance was started; before that nobody could answer a check."""
        groups = {group.arn: group for group in wanted.balancing.target_groups}
        targets = frozenset(target for target in wanted.targets if target.instance_id in started)
        with self._lock:
            self._members = rotation.members(groups, targets, self._members, time.monotonic())

    def in_rotation(self) -> Iterable[Target]:
        """The targets that a HAProxy which starts now gets from the start."""
        with self._lock:
            return [member.target for member in self._members.values() if member.stage is Stage.IN_ROTATION]

    def view(self) -> TargetView:
        with self._lock:
            members, report = list(self._members.values()), self._report
            return TargetView(
                serving=frozenset(m.target.instance_id for m in members if m.stage is not Stage.PROBED),
                healthy_once=self._healthy_once,
                report=report,
            )

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set."""
        while not stop.wait(TICK):
            self.tick()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def tick(self) -> None:
        """Does the steps that are due now."""
        has = self._inventory()
        with self._lock:
            due = list(rotation.steps(self._members, has, time.monotonic()))
        self._complain(frozenset(filter(None, map(self._try, due))))
        self._look(self._inventory() if due else has)

    def _inventory(self) -> Inventory | None:
        try:
            return self._api.inventory()
        except LocalCloudError:
            return None

    def _try(self, step: rotation.Step) -> str | None:
        """Does a step; what went wrong, if anything did: it is due again with the next tick."""
        try:
            self._do(step)
        except LocalCloudError as error:
            return str(error)
        return None

    def _complain(self, complaints: frozenset[str]) -> None:
        """Records what went wrong, once while it goes on."""
        for text in sorted(complaints - self._complaints):
            self._events.record("failed", "balancer", text)
        self._complaints = complaints

    def _do(self, step: rotation.Step) -> None:
        match step:
            case rotation.Probe(member):
                self._replace(member, replace(member, probing=True))
                self._pool.submit(self._probe, member)
            case rotation.Admit(member):
                self._api.add(member.target, member.group)
            case rotation.Drain(member):
                self._api.drain(member.group.name, member.target.instance_id)
                self._replace(member, replace(member, told=True))
            case rotation.Remove(backend, server):
                self._api.remove(backend, server)

    def _probe(self, member: Member) -> None:
        seen = probe(member.target, member.group.check)
        probing = replace(member, probing=True)
        self._replace(probing, rotation.probed(probing, seen, time.monotonic()))

    def _replace(self, before: Member, after: Member) -> None:
        """Puts `after` in the place of `before`, unless AWS has said something else meanwhile."""
        with self._lock:
            name = rotation.key(before.target)
            if self._members.get(name) == before:
                self._members[name] = after

    def _look(self, has: Inventory | None) -> None:
        """Brings the view up to date and records what has changed."""
        with self._lock:
            left = rotation.gone(self._members, has)
            self._members = {name: member for name, member in self._members.items() if name not in left}
            report = rotation.states(self._members, has, time.monotonic())
            before, self._report = self._report, report
            self._healthy_once |= {
                name for targets in report.values() for name, said in targets.items() if said["state"] == "healthy"
            }
        for arn in before.keys() | report.keys():
            self._record(before.get(arn, {}), report.get(arn, {}))
        if left or before != report:
            self._changed()

    def _record(self, before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> None:
        for name in before.keys() | after.keys():
            was, now = before.get(name, {}).get("state"), after.get(name, {}).get("state")
            if was != now and now is not None:
                self._events.record(now, name, f"target {name} is {now}", reason=after[name].get("reason"))
            elif was != now:
                self._events.record("drained", name, f"target {name} has left the balancer")


def probe(target: Target, check: HealthCheck) -> Server:
    """Asks the health path once; up if the status is one of those that the check accepts."""
    connection = http.client.HTTPConnection(target.address.host, target.address.port, timeout=check.timeout)
    try:
        connection.request("GET", check.path, headers={"User-Agent": "ELB-HealthChecker/2.0"})
        status = connection.getresponse().status
        return Server(up=True) if accepts(check.codes, status) else Server(False, MISMATCH, str(status))
    except TimeoutError:
        return Server(up=False, reason=TIMEOUT)
    except (OSError, http.client.HTTPException):
        return Server(up=False, reason=FAILED)
    finally:
        connection.close()


def accepts(codes: str, status: int) -> bool:
    """Whether a status is among codes such as `200`, `200,204` or `200-299`."""
    for part in codes.split(","):
        first, _, last = part.partition("-")
        if int(first) <= status <= int(last or first):
            return True
    return False
