"""A black hole on the loopback network: what goes to an address or comes from it is swallowed without a word.

Connections stay open and fall silent, new ones wait, as when a network between two machines breaks. A filter on the
loopback device does it, so it needs Linux, `tc` and the right to change the network (CAP_NET_ADMIN). A process of its
own keeps the filter and takes it away when it loses sight of us, however we end.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from chaos.bpf import swallow
from goldfleet.errors import LocalCloudError

_DEVICE = "lo"
_PLACE = 0xC000
"""Filters of this place in the kernel's list and after are ours."""
_TOOL = 5.0
_READY = "ready"
_UNUSED = "127.255.255.254"


@contextmanager
def black_hole(host: str, spared: Iterable[int] = ()) -> Iterator[None]:
    """Swallows all packets of an address while inside.

    Args:
        host: a loopback address.
        spared: ports of those at the other end that stay connected.

    Raises:
        LocalCloudError: this machine does not allow it.
    """
    command = (sys.executable, "-m", "chaos.black_hole", host, ",".join(map(str, spared)))
    keeper = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C is for us; it goes when we do
    )
    with keeper:
        assert keeper.stdout
        said = keeper.stdout.readline().strip()
        if said != _READY:
            raise LocalCloudError(
                f"black hole at {host}", said or "its keeper ended", "run it as root, with tc installed"
            )
        yield


def why_not() -> str | None:
    """Why this machine has no black holes, or None if it has."""
    if not sys.platform.startswith("linux"):
        return "only Linux has the filter that it needs"
    if shutil.which("tc") is None:
        return "the program tc is not installed (Debian's package iproute2)"
    try:
        with black_hole(_UNUSED):
            return None
    except LocalCloudError as error:
        return error.what


def _keep(host: str, spared: list[int]) -> None:
    place = str(_PLACE + int(host.split(".")[1]))
    filter_here = ("dev", _DEVICE, "ingress", "pref", place)
    with _network_locked():
        ours = not _hook_is_there()
        if ours:
            _tc("qdisc", "add", "dev", _DEVICE, "clsact")
        _tc("filter", "delete", *filter_here, must=False)  # of a keeper that was killed
    try:
        _tc("filter", "add", *filter_here, "protocol", "ip", "bpf", "da", "bytecode", swallow(host, spared))
        print(_READY, flush=True)  # noqa: T201  what black_hole waits for
        sys.stdin.read()
    finally:
        _tc("filter", "delete", *filter_here, must=False)
        with _network_locked():
            if ours and not _tc("filter", "show", "dev", _DEVICE, "ingress"):
                _tc("qdisc", "delete", "dev", _DEVICE, "clsact", must=False)


def _hook_is_there() -> bool:
    return any(kind in _tc("qdisc", "show", "dev", _DEVICE) for kind in ("clsact", "ingress"))


def _tc(*arguments: str, must: bool = True) -> str:
    program = shutil.which("tc") or "tc"
    done = subprocess.run((program, *arguments), capture_output=True, text=True, timeout=_TOOL, check=False)
    if must and done.returncode != 0:
        raise LocalCloudError("tc", " ".join(done.stderr.split()), "run it as root")
    return done.stdout.strip()


@contextmanager
def _network_locked() -> Iterator[None]:
    """Several checkouts share the loopback device."""
    network = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        fcntl.flock(network, fcntl.LOCK_EX)
        yield
    finally:
        os.close(network)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _, wanted, listed = sys.argv
    try:
        _keep(wanted, [int(port) for port in listed.split(",") if port])
    except (LocalCloudError, ValueError) as error:
        sys.exit(str(error))
