"""`goldfleet logs`: the clones' log lines, from CloudWatch Logs."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from goldfleet.cli.stack_account import names_of, session_of, settings_of
from goldfleet.errors import GoldfleetError, SettingsError

EXAMPLES = """\
  goldfleet logs                          the last ten minutes, all clones
  goldfleet logs -f --clone i-0123456789  follow one clone
  goldfleet logs --since 2h               the last two hours; units are s, m, h, d
"""

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
POLL = 1.0
LATE = 30.0
"""Seconds by which a line may reach CloudWatch Logs after a younger one of another clone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which lines."""
    parser.add_argument("-f", "--follow", action="store_true", help="go on with new lines, until Ctrl-C")
    parser.add_argument("--clone", metavar="ID", help="instance id; default all")
    parser.add_argument("--since", default="10m", metavar="AGE", help="how far back (default: 10m)")


def run(options: argparse.Namespace) -> int:
    """Runs `logs`; changes nothing."""
    since = time.time() - seconds(options.since)
    settings = settings_of(options.stack).load()
    print(f"stack {options.stack}", file=sys.stderr)
    lines = Lines(session_of(settings).client("logs"), names_of(settings).app_log_group, options.clone)
    while True:
        for line in lines.new(since):
            print(line, flush=options.follow)
        if not options.follow:
            return 0
        since = max(since, time.time() - LATE)
        time.sleep(POLL)


class Lines:
    """The lines of one log group, each given once.

    Args:
        client: boto3 client of CloudWatch Logs.
        group: name of the log group.
        clone: instance id, or None for all.
    """

    def __init__(self, client: Any, group: str, clone: str | None) -> None:
        self._client = client
        self._query: dict[str, Any] = {"logGroupName": group, **({"logStreamNames": [clone]} if clone else {})}
        self._seen: dict[str, float] = {}

    def new(self, since: float) -> Iterator[str]:
        """Lines not given yet.

        Args:
            since: seconds since 1970; older lines are passed over and forgotten.

        Raises:
            GoldfleetError: there is no such log group.
        """
        self._seen = {event: moment for event, moment in self._seen.items() if moment >= since}
        for event in self._events(int(since * 1000)):
            if event["eventId"] not in self._seen:
                self._seen[event["eventId"]] = event["timestamp"] / 1000
                yield as_line(event)

    def _events(self, start: int) -> list[Mapping[str, Any]]:
        pages = self._client.get_paginator("filter_log_events").paginate(**self._query, startTime=start)
        try:
            found = [event for page in pages for event in page["events"]]
        except self._client.exceptions.ResourceNotFoundException as error:
            where = str(self._query["logGroupName"])
            raise GoldfleetError(where, "no such log group, or no such clone", "see `goldfleet status`") from error
        return sorted(found, key=lambda event: event["timestamp"])


def seconds(age: str) -> int:
    """Seconds of an age such as `10m`.

    Raises:
        SettingsError: not a count and a unit.
    """
    match = re.fullmatch(r"(\d{1,6})([smhd])", age)
    if match is None:
        raise SettingsError("--since", f"'{age}' is not an age", "write a count and s, m, h or d, for example 10m")
    return int(match[1]) * UNITS[match[2]]


def as_line(event: Mapping[str, Any]) -> str:
    """Time, clone, level and message; what else a JSON line holds follows as `name=value`."""
    clock = datetime.fromtimestamp(event["timestamp"] / 1000).astimezone().strftime("%H:%M:%S.%f")[:-3]
    head = f"{clock} {event['logStreamName']}"
    try:
        fields = json.loads(event["message"])
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return f"{head} {event['message'].rstrip()}"
    level, message = fields.pop("level", "info"), fields.pop("message", "")
    rest = " ".join(f"{name}={value}" for name, value in fields.items() if name != "time")
    return f"{head} {level} {message} {rest}".rstrip()
