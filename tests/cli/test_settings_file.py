from __future__ import annotations

from pathlib import Path

import pytest

from goldfleet.cli.settings_file import SettingsFile
from goldfleet.errors import SettingsError

ENDPOINT = "http://127.11.0.1:4566"


def dev(folder: Path) -> SettingsFile:
    return SettingsFile(folder, "dev", ENDPOINT)


def test_a_change_keeps_every_other_byte(stacks: Path) -> None:
    before = (stacks / "Pulumi.dev.yaml").read_text()
    settings = dev(stacks).change("fleet", "desired", 4)
    assert settings.fleet.desired == 4
    assert (stacks / "Pulumi.dev.yaml").read_text() == before.replace("desired: 2", "desired: 4")


def test_a_change_into_a_component_that_is_not_there_yet(stacks: Path) -> None:
    dev(stacks).change("database", "replicas", 3)
    assert dev(stacks).load().database.replicas == 3


@pytest.mark.parametrize("count", [0, -1, 99])
def test_a_value_that_breaks_a_rule_changes_nothing(stacks: Path, count: int) -> None:
    before = (stacks / "Pulumi.dev.yaml").read_bytes()
    with pytest.raises(SettingsError) as refused:
        dev(stacks).change("fleet", "desired", count)
    assert refused.value.where == "fleet.desired"
    assert refused.value.way_out
    assert (stacks / "Pulumi.dev.yaml").read_bytes() == before
    assert [path.name for path in stacks.iterdir()] == ["Pulumi.dev.yaml"]


def test_the_endpoint_is_read_but_never_written(stacks: Path) -> None:
    file = dev(stacks)
    assert file.load().aws.endpoint == ENDPOINT
    file.change("fleet", "desired", 3)
    assert ENDPOINT not in (stacks / "Pulumi.dev.yaml").read_text()


def test_an_unknown_stack_is_named_with_those_there_are(stacks: Path) -> None:
    with pytest.raises(SettingsError, match=r"stack nope: .*dev"):
        SettingsFile(stacks, "nope")


@pytest.mark.parametrize(
    "text",
    [
        b"config: [",
        b"config:\n\tgoldfleet:fleet: {}",
        b"config: !!python/object:os.system {}",
        b"config: {a: 1, a: 2}",
        b"config: 7",
        b"config:",
        b"- a list",
        b"",
        b"\xff\xfe",
    ],
)
def test_a_file_that_is_no_settings_is_refused_on_one_line(stacks: Path, text: bytes) -> None:
    (stacks / "Pulumi.dev.yaml").write_bytes(text)
    with pytest.raises(SettingsError, match=r"Pulumi\.dev\.yaml") as refused:
        dev(stacks)
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(stacks: Path) -> None:
    (stacks / "Pulumi.dev.yaml").unlink()
    (stacks / "Pulumi.dev.yaml").mkdir()
    with pytest.raises(SettingsError, match="Is a directory"):
        dev(stacks)


@pytest.mark.parametrize("text", ["config:\n  3: 3", "config:\n  goldfleet:aws: 3", "config:\n  goldfleet:flet: {}"])
def test_what_stands_where_settings_belong_is_refused_by_their_rules(stacks: Path, text: str) -> None:
    (stacks / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises(SettingsError):
        dev(stacks).load()
