"""Scaling sideways by changing one number."""

from __future__ import annotations

import pytest

from tests.fleet.cloud import Cloud, wait
from tests.fleet.load import Load


def test_four_clones_and_back_under_load_without_a_failed_request(cloud: Cloud) -> None:
    cloud.do("up")  # so that the count is all that is new
    with Load(cloud.url) as load:
        text = cloud.do("scale", "4")
        changed = [line for line in text.splitlines() if ": done in" in line and " goldfleet:index:" in line]
        assert len(changed) == 1, text
        assert "Capacity" in changed[0]
        assert not [line for line in text.splitlines() if line.split()[1:2] == ["create"]]
        assert len(cloud.clones()) == 4
        wait(lambda: len(load.clones) == 4, 20)
        cloud.do("scale", "2")
        cloud.settled(2)
    assert load.failures == {}
    assert load.answered > 0
    assert len(cloud.answers_by_clone(20)) == 2


@pytest.mark.parametrize(("count", "where"), [("0", "fleet"), ("-1", "fleet"), ("99", "fleet"), ("abc", "fleet")])
def test_a_wrong_count_changes_nothing(cloud: Cloud, count: str, where: str) -> None:
    file = cloud.folder / "Pulumi.local.yaml"
    before, clones = file.read_bytes(), set(cloud.clones())
    done = cloud.run("scale", count)
    assert done.code == 2
    assert f"error: {where}.desired: " in done.text
    assert "->" in done.text
    assert file.read_bytes() == before
    assert set(cloud.clones()) == clones


def test_up_again_changes_nothing(cloud: Cloud) -> None:
    clones = set(cloud.clones())
    text = cloud.do("up")
    assert [line for line in text.splitlines() if " create " in line or " update " in line or " delete " in line] == []
    assert set(cloud.clones()) == clones
