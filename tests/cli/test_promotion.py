"""What a promotion is, and what the settings say after it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.promotion import Promotion, plan, write
from goldfleet.cli.settings_file import SettingsFile
from goldfleet.contract.names import Names
from goldfleet.errors import SettingsError
from infra.settings.database import Database
from infra.shard_servers import servers

NAMES = Names("goldfleet", "local")
ENDPOINT = "http://127.11.0.1:4566"


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    shutil.copy(CHECKOUT / "Pulumi.local.yaml", tmp_path)
    return SettingsFile(tmp_path, "local", ENDPOINT)


@pytest.mark.parametrize(
    ("instance", "promotion"),
    [
        ("goldfleet-local-shard-0-replica-2", Promotion(0, "replica-2", "main")),
        ("goldfleet-local-shard-1-replica-1-2", Promotion(1, "replica-1-2", "replica-1")),
    ],
)
def test_a_replica_is_known_by_its_instance(instance: str, promotion: Promotion) -> None:
    settings = Database(shards=2, replicas=2, promoted={"1": "replica-1"})
    assert plan(instance, NAMES, settings) == promotion


@pytest.mark.parametrize("instance", ["goldfleet-local-shard-0-main", "goldfleet-local-shard-1-replica-1", "main", ""])
def test_what_is_no_replica_in_use_is_refused(instance: str) -> None:
    with pytest.raises(SettingsError, match=r"name one: goldfleet-local-shard-0-replica-1$"):
        plan(instance, NAMES, Database())


def test_the_settings_name_the_new_main_and_keep_the_lost_one(file: SettingsFile) -> None:
    write(file, Promotion(0, "replica-1", "main"))
    settings = SettingsFile(file.path.parent, "local", ENDPOINT).load()
    assert (settings.database.promoted, settings.database.lost) == ({"0": "replica-1"}, {"0": ["main"]})
    found = servers(0, settings.database)
    assert (found.main, found.replicas, found.lost) == ("replica-1", ("replica-1-1",), ("main",))


def test_a_second_promotion_keeps_both(file: SettingsFile) -> None:
    write(file, Promotion(0, "replica-1", "main"))
    again = SettingsFile(file.path.parent, "local", ENDPOINT)
    write(again, Promotion(0, "replica-1-1", "replica-1"))
    found = servers(0, SettingsFile(file.path.parent, "local", ENDPOINT).load().database)
    assert (found.main, found.lost) == ("replica-1-1", ("main", "replica-1"))


def test_cut_off_between_its_two_writes_nothing_has_changed_yet() -> None:
    """`lost` is written first: a main that is still in use is not declared twice."""
    found = servers(0, Database(lost={"0": ["main"]}))
    assert (found.main, found.lost) == ("main", ())
