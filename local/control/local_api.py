"""`/_local/`: what AWS never tells anybody, for the data plane, and what only a local cloud has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from goldfleet.errors import LocalCloudError
from local.control.answers import Answer, json_answer
from local.control.cloud import Cloud, NodeReport, TargetReport
from local.control.faults import FaultRule, Faults
from local.control.passwords import all_passwords
from local.control.record import Record
from local.control.services.cloudwatch_reports import keep_metrics

PREFIX = "/_local/"
LONGEST_WAIT = 60.0
"""Seconds that a call for changes waits at most."""


class LocalApi:
    """Answers the calls under `/_local/`, as docs/architecture.md lists them.

    Args:
        cloud: where reports are kept and changes are counted.
        faults: the rules in force.
        record: the calls so far.
        settle: called under the lock after every report.
    """

    def __init__(self, cloud: Cloud, faults: Faults, record: Record, settle: Callable[[], bool]) -> None:
        self._cloud = cloud
        self._faults = faults
        self._record = record
        self._settle = settle
        self._routes: Mapping[tuple[str, str], Callable[[Any], Any]] = {
            ("GET", "changes"): self._changes,
            ("GET", "passwords"): self._passwords,
            ("POST", "stores"): self._report(self._stores),
            ("POST", "impaired"): self._report(self._impaired),
            ("POST", "targets"): self._report(self._targets),
            ("POST", "instances"): self._report(self._instances),
            ("POST", "metrics"): self._report(keep_metrics),
            ("POST", "ages"): self._report(self._ages),
            ("GET", "faults"): lambda _: self._faults.to_json(),
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): lambda _: self._faults.clear(),
            ("GET", "requests"): lambda _: self._record.to_json(),
            ("DELETE", "requests"): lambda _: self._record.clear(),
        }

    def answer(self, environ: Mapping[str, Any], body: bytes) -> Answer:
        """Carries one call out; bad input is a 400 that says what is wrong."""
        method, name = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(PREFIX)
        route = self._routes.get((method, name))
        if route is None:
            return json_answer("404 Not Found", {"error": f"no {method} {PREFIX}{name}"})
        try:
            if method == "POST":
                return json_answer("200 OK", route(json.loads(body)))
            query = parse_qs(environ.get("QUERY_STRING", ""))
            return json_answer("200 OK", route({key: values[-1] for key, values in query.items()}))
        except LocalCloudError as error:
            return json_answer("400 Bad Request", {"error": str(error)})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return json_answer("400 Bad Request", {"error": f"{type(error).__name__}: {error}"})

    def _changes(self, query: Mapping[str, str]) -> dict[str, int]:
        timeout = min(float(query.get("timeout", LONGEST_WAIT)), LONGEST_WAIT)
        return {"version": self._cloud.wait_for_change(int(query.get("after", -1)), timeout)}

    def _passwords(self, _: Any) -> dict[str, Any]:
        with self._cloud.lock:
            return all_passwords()

    def _report(self, keep: Callable[[Any], None]) -> Callable[[Any], Any]:
        def route(content: Any) -> dict[str, Any]:
            with self._cloud.lock:
                keep(content)
                if self._settle():
                    self._cloud.mark_changed()
            return {}

        return route

    def _stores(self, content: Mapping[str, Mapping[str, Any]]) -> None:
        unknown = set(content) - {"rds", "elasticache", "nodes"}
        if unknown:
            raise LocalCloudError("stores", f"unknown keys {sorted(unknown)}", "use rds, elasticache and nodes")
        self._cloud.reports.rds.update(content.get("rds", {}))
        self._cloud.reports.elasticache.update(content.get("elasticache", {}))
        nodes = {node: NodeReport(**said) for node, said in content.get("nodes", {}).items()}
        self._cloud.reports.nodes.update(nodes)

    def _impaired(self, content: Mapping[str, Mapping[str, str]]) -> None:
        self._cloud.reports.impaired.update(content["rds"])

    def _targets(self, content: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        for arn, targets in content.items():
            reports = {
                target: TargetReport(said["state"], said.get("reason"), said.get("status"))
                for target, said in targets.items()
            }
            self._cloud.reports.targets.setdefault(arn, {}).update(reports)

    def _instances(self, content: Mapping[str, Mapping[str, str]]) -> None:
        for instance_id, said in content.items():
            self._cloud.reports.consoles[instance_id] = str(said["console"])

    def _ages(self, content: Mapping[str, float]) -> None:
        self._cloud.reports.ages.update({instance_id: float(age) for instance_id, age in content.items()})

    def _add_fault(self, content: Mapping[str, Any]) -> list[dict[str, Any]]:
        self._faults.add(FaultRule.from_json(content))
        return self._faults.to_json()
