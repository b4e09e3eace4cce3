"""The real Pulumi engine, through the Automation API: one stack, one inline program, errors as one sentence each."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pulumi.automation import (
    CommandError,
    ConcurrentUpdateError,
    EngineEvent,
    LocalWorkspace,
    Stack,
)
from semver import VersionInfo

from goldfleet.cli.pulumi_cli import PulumiCli
from goldfleet.cli.pulumi_finder import PULUMI_VERSION
from goldfleet.errors import GoldfleetError

OnEvent = Callable[[EngineEvent], None]
_PLUGIN_ENDED = re.compile(r"Detected that (\S+) exited prematurely")
_PLACE = re.compile(r'File "([^"]+)", line (\d+)')


@dataclass(frozen=True)
class Project:
    """A stack as the engine sees it.

    Args:
        folder: holds `Pulumi.yaml` and `Pulumi.<stack>.yaml`.
        stack: name of the stack; it is made in the backend when it is not there.
        program: declares the resources.
        pulumi: the Pulumi CLI.
        environment: all that the engine and its plugins see.
        output: folder for what the engine says, from which a later command finds an engine that lost its caller.
    """

    folder: Path
    stack: str
    program: Callable[[], None]
    pulumi: Path
    environment: Mapping[str, str]
    output: Path | None = None


class Engine:
    """Previews, updates, refreshes and destroys one stack.

    Every method raises GoldfleetError with the resource, what the provider said and the way out, and
    KeyboardInterrupt after the engine stopped because the person asked for it.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._stack = _guarded(project.stack, partial(_open, project))

    def preview(self, on_event: OnEvent | None = None) -> dict[str, int]:
        """What `up` would do: count of resources by operation (`create`, `update`, `same`, ...)."""
        changes = self._run(self._stack.preview, on_event).change_summary
        return {str(getattr(operation, "value", operation)): count for operation, count in changes.items()}

    def up(self, on_event: OnEvent | None = None) -> dict[str, Any]:
        """Makes AWS what the program says; returns the outputs, secrets included."""
        result = self._run(self._stack.up, on_event)
        return {name: output.value for name, output in result.outputs.items()}

    def refresh(self, on_event: OnEvent | None = None, *, clear_pending_creates: bool = False) -> None:
        """Reads what AWS has into the state."""
        self._run(partial(self._stack.refresh, clear_pending_creates=clear_pending_creates), on_event)

    def destroy(self, on_event: OnEvent | None = None) -> None:
        """Removes all resources of the stack."""
        self._run(self._stack.destroy, on_event)

    def outputs(self) -> dict[str, Any]:
        """Outputs of the last `up`, secrets included."""
        outputs = _guarded(self._project.stack, self._stack.outputs)
        return {name: output.value for name, output in outputs.items()}

    def recover(self) -> None:
        """Makes the state usable after an engine was killed: drops its lock and its pending creates.

        Only for a state that nobody else can be working on.
        """
        _guarded(self._project.stack, self._stack.cancel)
        self.refresh(clear_pending_creates=True)

    def _run(self, operation: Callable[..., Any], on_event: OnEvent | None) -> Any:
        errors: list[tuple[str, str]] = []

        def observe(event: EngineEvent) -> None:
            found = error_of(event)
            if found and found not in errors:
                errors.append(found)
            if on_event:
                on_event(event)

        return _guarded(self._project.stack, partial(operation, on_event=observe, color="never"), errors)


def local_environment(pulumi_home: Path, passphrase_file: Path) -> dict[str, str]:
    """What an engine of the local cloud sees: nothing of the person's AWS and Pulumi, and this Python first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))}
    return {
        **kept,
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "GOLDFLEET_PYTHON": sys.executable,
        "PULUMI_HOME": str(pulumi_home),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase_file),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def _open(project: Project) -> Stack:
    cli = PulumiCli(project.pulumi, VersionInfo.parse(PULUMI_VERSION), project.environment, project.output)
    workspace = LocalWorkspace(work_dir=str(project.folder), program=project.program, pulumi_command=cli)
    return Stack.create_or_select(project.stack, workspace)


def _guarded(stack: str, call: Callable[[], Any], errors: list[tuple[str, str]] | None = None) -> Any:
    try:
        return call()
    except ConcurrentUpdateError as error:
        raise GoldfleetError(
            f"stack {stack}",
            "another update holds its lock",
            f"wait for it; if none is running, `pulumi cancel -s {stack}`",
        ) from error
    except CommandError as error:
        where, what = _first(errors or []) or (f"stack {stack}", _last_line(str(error)))
        raise GoldfleetError(where, what, f"put it right and run `goldfleet up -s {stack}` again") from error


def error_of(event: EngineEvent) -> tuple[str, str] | None:
    """Resource and message of an event that reports an error, else None."""
    diagnostic = event.diagnostic_event
    if diagnostic is None or diagnostic.severity != "error":
        return None
    if ended := _PLUGIN_ENDED.match(diagnostic.message):
        last = [line.strip() for line in diagnostic.message.splitlines() if line.strip()][-1]
        places = _PLACE.findall(diagnostic.message)
        place = f" ({places[-1][0]}, line {places[-1][1]})" if places else ""
        return Path(ended[1]).name, f"the plugin ended as soon as it was started: {last}{place}"
    # What follows in an unexpected error of the program is for its log, not for one sentence.
    message = " ".join(diagnostic.message.removeprefix("error: ").partition("Traceback")[0].split())
    message = message.removeprefix("1 error occurred: * ")  # of a resource that was made and is not well
    return (diagnostic.urn or "").rpartition("::")[2], message


def _first(errors: list[tuple[str, str]]) -> tuple[str, str] | None:
    """The first error that names a resource, else the first; the engine's closing words come last and say less."""
    named = [error for error in errors if error[0]]
    if not (named or errors):
        return None
    where, what = (named or errors)[0]
    more = f" (and {len(named) - 1} more)" if len(named) > 1 else ""
    return where or "program", what.rstrip(".") + more


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and line.strip() != "stderr:"]
    return lines[-1].removeprefix("stderr: ").removeprefix("error: ") if lines else "the Pulumi CLI failed"
