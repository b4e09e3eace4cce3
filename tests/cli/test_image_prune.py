"""`goldfleet image prune`: what it is told, and how it tells what stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from goldfleet.cli.__main__ import main
from goldfleet.cli.verbs.image import prune
from goldfleet.errors import SettingsError
from image.registry.prune_plan import Entry

ENTRIES = [
    Entry("template version", "lt-1/1", "ami-a", ()),
    Entry("image", "ami-a", "a" * 64, ("setting of stack prod", "1 instance run from it")),
]


def test_what_every_stack_pins_is_known(stacks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "CHECKOUT", stacks)
    other = (stacks / "Pulumi.dev.yaml").read_text().replace("working-tree", "a" * 64)
    (stacks / "Pulumi.prod.yaml").write_text(other)
    assert prune.pinned() == {"dev": "working-tree", "prod": "a" * 64}
    (stacks / "Pulumi.prod.yaml").write_text("config: [")
    with pytest.raises(SettingsError, match=r"Pulumi\.prod\.yaml: not readable"):
        prune.pinned()


@pytest.mark.parametrize("text", ["0", "-1", "two", "", "1.5"])
def test_a_count_that_is_none_is_wrong_usage(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "prune", f"--keep={text}", "--dry-run"]) == 2
    assert f"'{text}' is not a whole number of at least 1" in capsys.readouterr().err


@pytest.mark.parametrize(("dry_run", "words"), [(True, "would be removed"), (False, "removed")])
def test_each_thing_is_shown_with_what_becomes_of_it(dry_run: bool, words: str) -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(prune.table(ENTRIES, dry_run))
    _, version, image = capture.get().splitlines()
    assert version.split()[:3] == ["template", "version", "lt-1/1"]
    assert version.rstrip().endswith(f"- {words}")
    assert image.rstrip().endswith("setting of stack prod, 1 instance run from it")
    assert prune.summary(ENTRIES, dry_run) == f"1 {words}, 1 kept"


@pytest.mark.parametrize("arguments", [["image", "prune", "-s", "nowhere"], ["image", "-s", "nowhere", "prune"]])
def test_the_stack_may_stand_before_or_after_the_verb(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "--dry-run"]) == 2
    assert "there is no Pulumi.nowhere.yaml" in capsys.readouterr().err
