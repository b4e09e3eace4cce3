"""After a rollout that was rolled back the setting names the release that runs, so that no later `up` rolls again."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.fleet_releases import look
from goldfleet.cli.stack_account import names_of, session_of, settings_of
from goldfleet.cli.terminal import Terminal
from goldfleet.errors import GoldfleetError, RolloutFailed
from image.release import working_tree
from infra.settings import Settings


def put_back(stack: str, failed: GoldfleetError, terminal: Terminal) -> GoldfleetError:
    """Called when an `up` has failed; returns the error that the person sees.

    The setting changes only if the release that it names is the one that the fleet has just refused.

    Args:
        stack: name of the stack.
        failed: how the `up` has ended.
        terminal: where the change is told.
    """
    file = settings_of(stack)
    settings = file.load()
    try:
        releases = look(session_of(settings), names_of(settings))
    except (GoldfleetError, BotoCoreError, ClientError):
        return failed  # where AWS cannot be asked, that is what failed
    if not releases.running or wanted(settings) not in releases.refused:
        return failed
    file.change("image", "release", releases.running)
    terminal.line(f"image.release is {releases.running} now: that release runs again")
    way_out = "the fleet and the setting image.release are on the release before; `goldfleet logs` tells more"
    return RolloutFailed(failed.where, failed.what, way_out)


def wanted(settings: Settings) -> str:
    """The digest or the image id that the setting means now."""
    release = settings.image.release
    return working_tree(CHECKOUT, settings.image.layers) if release == "working-tree" else release
