"""The real engine on programs of our own that need no provider."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest
from pulumi.automation import DiagnosticEvent, EngineEvent

from goldfleet.cli.checkout import cache_folder
from goldfleet.cli.engine import Engine, error_of
from goldfleet.cli.local_project import LocalProject
from goldfleet.cli.pulumi_finder import find_pulumi
from goldfleet.errors import GoldfleetError

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def pulumi_cli() -> Path:
    return find_pulumi(cache_folder(), print)


@pytest.fixture
def engine(tmp_path: Path, pulumi_cli: Path) -> Callable[..., Engine]:
    """`engine(program, **settings)`: always on the same state."""

    def make(program: Callable[[], None], **settings: object) -> Engine:
        local = LocalProject("goldfleet", tmp_path / "project", tmp_path / "pulumi", {}, pulumi_cli)
        return Engine(local.write("local", {"fleet": settings}, program))

    return make


class Part(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("goldfleet:tests:Part", name)
        self.register_outputs({})


def exports() -> None:
    Part("one")
    fleet = pulumi.Config("goldfleet").require_object("fleet")
    pulumi.export("desired", fleet["desired"])
    pulumi.export("password", pulumi.Output.secret("hidden"))


def test_settings_go_in_and_outputs_come_out(engine: Callable[..., Engine]) -> None:
    assert engine(exports, desired=2).up() == {"desired": 2, "password": "hidden"}


def test_a_secret_is_not_in_clear_in_the_state(engine: Callable[..., Engine], tmp_path: Path) -> None:
    engine(exports, desired=2).up()
    state = "".join(path.read_text() for path in (tmp_path / "pulumi" / ".pulumi").rglob("*.json"))
    assert "goldfleet:tests:Part" in state
    assert "hidden" not in state
    assert (tmp_path / "pulumi" / "passphrase").stat().st_mode & 0o777 == 0o600


def test_preview_changes_nothing(engine: Callable[..., Engine]) -> None:
    assert engine(exports, desired=2).preview() == {"create": 2}
    assert engine(exports, desired=2).outputs() == {}


def test_an_error_of_the_program_is_one_sentence(engine: Callable[..., Engine]) -> None:
    def program() -> None:
        raise pulumi.RunError("fleet.desired: must be at most fleet.max")

    with pytest.raises(GoldfleetError) as failed:
        engine(program).up()
    assert failed.value.what == "fleet.desired: must be at most fleet.max"
    assert "Traceback" not in str(failed.value)


def test_a_plugin_that_dies_says_of_what() -> None:
    # As Pulumi 3.259.0 reported it. Tried in words only: the SDK leaves the program's event loop open.
    message = (
        "Detected that /checkout/plugins/aws/pulumi-resource-aws exited prematurely. \n"
        "       This is *always* a bug in the provider. Please report the issue to the provider author.\n"
        "       To assist with debugging we have dumped the STDOUT and STDERR streams of the plugin:"
        'Traceback (most recent call last):\n  File "/checkout/rows.py", line 79\n'
        "    syntax error\n           ^^^^^\nSyntaxError: invalid syntax\n\n\n"
    )
    event = EngineEvent(0, 0, diagnostic_event=DiagnosticEvent(message, color="never", severity="error"))
    assert error_of(event) == (
        "pulumi-resource-aws",
        "the plugin ended as soon as it was started: SyntaxError: invalid syntax (/checkout/rows.py, line 79)",
    )


def test_a_lock_that_a_killed_engine_left_is_cleared(engine: Callable[..., Engine], tmp_path: Path) -> None:
    engine(exports, desired=2).up()
    lock = tmp_path / "pulumi" / ".pulumi" / "locks" / "organization" / "goldfleet" / "local" / "dead.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text('{"pid": 1, "username": "u", "hostname": "h", "timestamp": "2026-01-01T00:00:00Z"}')
    with pytest.raises(GoldfleetError, match="another update holds its lock"):
        engine(exports, desired=3).up()
    again = engine(exports, desired=3)
    again.recover()
    assert again.up()["desired"] == 3


def test_destroy_leaves_nothing(engine: Callable[..., Engine]) -> None:
    made = engine(exports, desired=2)
    made.up()
    made.destroy()
    assert made.preview() == {"create": 2}
