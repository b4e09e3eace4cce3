from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from goldfleet.cli import release
from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.settings_file import SettingsFile
from goldfleet.errors import ReleaseError
from image.app_layer.layer import Layer
from image.bake import Baked
from image.os_layer.layer import OsLayer
from image.registry import boot_record
from image.release import working_tree
from infra.settings import Settings

GONE = "0" * 64
Pinned = Callable[[str], Settings]


@pytest.fixture
def pinned(stacks: Path, monkeypatch: pytest.MonkeyPatch) -> Pinned:
    """Settings that pin a release, on a machine whose cache is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(stacks / "cache"))
    file = SettingsFile(stacks, "dev", "http://127.11.0.1:4566")
    return lambda wanted: file.change("image", "release", wanted)


def test_a_pinned_release_that_is_nowhere_is_named_with_the_ways_out(pinned: Pinned) -> None:
    with pytest.raises(ReleaseError, match="release 000000000000 is not kept on this machine") as refused:
        release.require_available(pinned(GONE))
    for way in ("`goldfleet deploy`", "check out that release's commit", "working-tree"):
        assert way in refused.value.way_out


def test_one_that_is_kept_or_is_the_tree_or_is_made_anyway_is_fine(pinned: Pinned, stacks: Path) -> None:
    for wanted in ("working-tree", "ami-0123456789abcdef0", working_tree(CHECKOUT, ["app"])):
        release.require_available(pinned(wanted))
    kept = stacks / "cache" / "goldfleet"
    for kind in ("layers", "releases"):
        (kept / kind).mkdir(parents=True, exist_ok=True)
    (kept / "layers" / f"{GONE}.iso").touch()
    (kept / "releases" / f"{GONE}.json").write_text('{"os": ""}')
    release.require_available(pinned(GONE))


def test_a_release_is_booted_once_before_it_goes_to_aws_and_never_at_home(pinned: Pinned, stacks: Path) -> None:
    at_home = pinned("working-tree")
    on_aws = at_home.model_copy(update={"aws": at_home.aws.model_copy(update={"endpoint": None})})
    nothing = stacks / "nothing"
    baked = Baked(GONE, ("os", "app"), OsLayer("1" * 64, nothing, nothing, 1), Layer(GONE, nothing))
    assert not release.needs_boot_test(at_home, baked)
    assert release.needs_boot_test(on_aws, baked)
    boot_record.record(GONE, {"accelerator": "tcg"})
    assert not release.needs_boot_test(on_aws, baked)
