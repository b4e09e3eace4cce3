"""The lists of replicas: SSM parameters on one side, files that the app reads on the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import Any

from goldfleet.contract.deadlines import REPLICA_LIST_REFRESH
from goldfleet.errors import ContractError
from image.launch import files, log
from image.launch.aws import replicas


class ReplicaLists:
    """Follows one parameter per shard.

    Args:
        client: makes the botocore client of SSM.
        parameters: name of the parameter -> the file to keep.
    """

    def __init__(self, client: Callable[[], Any], parameters: Mapping[str, Path]) -> None:
        self._make_client = client
        self._client: Any = None
        self._parameters = parameters

    def run(self, stop: Event, every: float = REPLICA_LIST_REFRESH) -> None:
        """Refreshes every `every` seconds until `stop` is set; the launcher has written the first lists."""
        while not stop.wait(every):
            self.refresh()

    def refresh(self) -> None:
        """Rewrites each file whose list has changed; a list that cannot be read leaves its file as it is."""
        if self._client is None:
            self._client = self._make_client()
        for parameter, path in self._parameters.items():
            try:
                text = replicas(self._client, parameter)
            except ContractError as error:
                log.line("warning", "list of replicas kept", reason=str(error))
                continue
            if not path.parent.is_dir():
                continue  # The launcher has not come this far: it will write the list itself.
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                files.write(path, text)
                log.line("info", "list of replicas changed", file=path.name, replicas=text)
