"""QEMU's monitor: the machine's power button.

Source: QEMU, "QEMU Machine Protocol Specification" and "QEMU QMP Reference Manual".
"""

from __future__ import annotations

import json
import socket
from typing import Any

from goldfleet.errors import LocalCloudError

_ANSWER = 10.0
_LONGEST = 1 << 20


class Monitor:
    """One QEMU's monitor.

    Args:
        line: a connected socket whose other end QEMU has.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._line.settimeout(_ANSWER)
        self._file = line.makefile("rb")
        self._greeted = False

    def press_power(self) -> None:
        """The power button, as EC2 presses it: by ACPI.

        Raises:
            LocalCloudError: QEMU does not do it.
        """
        self._do("system_powerdown")

    def close(self) -> None:
        self._file.close()
        self._line.close()

    def _do(self, what: str) -> None:
        try:
            if not self._greeted:
                self._read()
                self._ask("qmp_capabilities")
                self._greeted = True
            self._ask(what)
        except (OSError, ValueError, TypeError) as error:
            raise LocalCloudError("virtual machine", f"its monitor fails: {error}", "look at its log") from error

    def _ask(self, what: str) -> None:
        self._line.sendall(json.dumps({"execute": what}).encode() + b"\n")
        while "return" not in (said := self._read()):
            if "error" in said:
                raise ValueError(f"{what}: {said['error']}")

    def _read(self) -> dict[str, Any]:
        line = self._file.readline(_LONGEST)
        if not line:
            raise ConnectionError("it is closed")
        said = json.loads(line)
        if not isinstance(said, dict):
            raise TypeError("it speaks another language")
        return said
