"""What happened to the local cloud's own processes, which AWS tells nobody."""

from __future__ import annotations

from datetime import UTC, datetime

from goldfleet.cli.stack_view import LOCAL_SOURCE, Event, moment
from local.events import Events
from local.run_folder import RunFolder

NEWS = frozenset({"exited", "restarted", "crash-looping", "failed", "promoted", "unhealthy", "not-imitated"})
"""Kinds of events that nobody asked for; the others only say that a wish was carried out."""


def local_news(folder: RunFolder) -> tuple[Event, ...]:
    """The unasked events of this run, oldest first."""
    return tuple(
        Event(moment(datetime.fromtimestamp(event["time"], UTC)), event["text"], event["kind"], LOCAL_SOURCE)
        for event in Events(folder.events).read()
        if event["kind"] in NEWS
    )
