"""How a stack is shown to a person: a few lines and two tables, the same at a terminal and in a pipe."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from goldfleet.cli.stack_view import View
from goldfleet.cli.terminal import Terminal

RELEASE_SHOWN = 12
COLOURS = {"healthy": "green", "available": "green", "initial": "yellow", "draining": "yellow", "unhealthy": "red"}


def show(view: View, terminal: Terminal) -> None:
    """The whole view: `goldfleet status`."""
    console = terminal.console
    console.print(Text(headline(view)))
    console.print(_clones(view))
    console.print(_stores(view))
    if view.events:
        console.print(Text("last events"))
    for event in view.events:
        console.print(Text(f"  {event.time}  {event.text}"))


def show_result(view: View, terminal: Terminal) -> None:
    """What a person wants to know after `up`: where it is, what runs, what to do next."""
    console = terminal.console
    console.print(_clones(view))
    console.print(Text(headline(view)))
    selected = "" if view.stack == "local" else f" -s {view.stack}"
    verbs = (f"status{selected}", f"scale{selected} {view.wanted + 1}", f"logs{selected}")
    console.print(Text("next: " + ", ".join(f"goldfleet {verb}" for verb in verbs)))


def headline(view: View) -> str:
    """Release, counts and URL; says so when scaling has moved the count away from the setting."""
    releases = " and ".join(release[:RELEASE_SHOWN] for release in view.releases) or "none"
    count = f"setting {view.setting}, running {view.serving}"
    if view.wanted not in (view.setting, view.serving):
        count += f", wanted {view.wanted}"
    moved = f" ({view.moved})" if view.moved and view.wanted != view.setting else ""
    return f"release {releases}; clones: {count}{moved}\n{view.url or 'no URL yet'}"


def _clones(view: View) -> Table:
    table = _table("clone", "zone", "address", "release", "state", "health")
    for clone in view.clones:
        health = f"{clone.health}: {clone.reason}" if clone.reason and clone.health != "healthy" else clone.health
        table.add_row(
            clone.id,
            clone.zone,
            clone.address,
            clone.release[:RELEASE_SHOWN],
            clone.lifecycle,
            Text(health, COLOURS.get(clone.health, "")),
        )
    return table


def _stores(view: View) -> Table:
    table = _table("store", "role", "status", "address")
    for store in view.stores:
        table.add_row(store.id, store.role, Text(store.status, COLOURS.get(store.status, "")), store.address)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ignore")
    return table
