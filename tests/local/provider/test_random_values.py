"""Random values: made once, of the wanted shape, secret."""

from __future__ import annotations

from goldfleet.servicer import UNKNOWN, Context, Existing
from local.provider.random_values import RandomId, RandomPassword


def test_a_password_has_one_of_each_kind_that_is_asked_for() -> None:
    for _ in range(50):
        _, state = RandomPassword().create({"length": 3, "special": False}, Context())
        password = state["result"]
        assert len(password) == 3
        assert any(map(str.islower, password))
        assert any(map(str.isupper, password))
        assert any(map(str.isdigit, password))
    assert "result" in RandomPassword.secrets


def test_an_override_of_the_special_ones_is_kept() -> None:
    inputs = {"length": 20, "lower": False, "upper": False, "numeric": False, "overrideSpecial": "_"}
    assert RandomPassword().create(inputs, Context())[1]["result"] == "_" * 20


def test_an_id_has_its_bytes() -> None:
    _, state = RandomId().create({"byteLength": 4}, Context())
    assert len(state["hex"]) == 8
    assert int(state["hex"], 16) == int(state["dec"])


def test_a_preview_makes_no_value_and_every_change_makes_a_new_one() -> None:
    id_, state = RandomPassword().create({"length": 8}, Context(preview=True))
    assert (id_, state["result"]) == ("", UNKNOWN)
    diff = RandomPassword().diff(Existing("none", {"length": 8}, {}), {"length": 9}, (), Context())
    assert diff.replaces == ("length",)


def test_an_unknown_property_is_named() -> None:
    _, failures = RandomPassword().check({"length": 8, "minLower": 2}, {}, Context())
    assert [failure.property for failure in failures] == ["minLower"]
