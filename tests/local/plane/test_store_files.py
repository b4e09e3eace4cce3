"""The text that servers are configured with: quoting, and nothing that breaks out of its line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldfleet.errors import LocalCloudError
from local.plane import postgres_files, valkey_files
from local.plane.wanted import StoreUser
from tests.local.plane.specs import MAIN, NODE, REPLICA

LINE = st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]))


def settings(text: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in text.splitlines())


@given(LINE)
def test_a_literal_says_what_was_meant(text: str) -> None:
    quoted = postgres_files.literal(text)
    assert quoted[0] == quoted[-1] == "'"
    assert quoted[1:-1].replace("''", "'") == text
    assert quoted[1:-1].count("'") == 2 * text.count("'")


def test_a_value_of_two_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="one line"):
        postgres_files.literal("a\nb")


def test_a_replica_follows_its_main_without_a_password_in_its_settings() -> None:
    upstream = postgres_files.upstream(MAIN.address, "/it's/passfile", REPLICA)
    text = postgres_files.configuration(REPLICA, "/hba", upstream, None)
    assert "primary_slot_name = 'replica_main_1'" in text
    assert "host=''127.11.1.1''" in text
    assert REPLICA.password not in text
    assert "ssl" not in text


def test_only_a_certificate_turns_tls_on() -> None:
    assert "ssl = 'on'" in postgres_files.configuration(MAIN, "/hba", None, ("/cert", "/key"))


def test_parameters_that_describe_aws_machines_are_left_out() -> None:
    lines = settings(valkey_files.configuration(NODE, Path("/home"), "secret"))
    assert lines["maxmemory-policy"] == "noeviction"
    assert "reserved-memory-percent" not in lines
    assert lines["appendonly"] == "yes"
    assert "replicaof" not in lines


def test_users_are_hashed_and_default_is_off() -> None:
    text = valkey_files.users(NODE, "internal")
    lines = text.splitlines()
    assert lines[0] == "user default reset off"
    assert lines[1].startswith("user app reset #")
    assert "on ~* +@all" in lines[1]
    assert "-config" in lines[1]
    assert not any(secret in text for secret in ("first", "second", "internal"))


def test_a_default_user_of_the_group_is_taken_as_it_is() -> None:
    node = replace(NODE, users=(StoreUser("default", (), "off -@all"), *NODE.users))
    assert "user default reset off -@all" in valkey_files.users(node, "x")
    assert valkey_files.users(node, "x").count("user default") == 1


@pytest.mark.parametrize(
    "user", [StoreUser("a b", (), "on"), StoreUser("a", (), "on\nuser b on"), StoreUser("", (), "")]
)
def test_a_user_that_would_break_out_of_its_line_is_refused(user: StoreUser) -> None:
    with pytest.raises(LocalCloudError):
        valkey_files.users(replace(NODE, users=(user,)), "x")


def test_what_can_change_while_it_runs() -> None:
    renewed = replace(NODE, parameters=(("maxmemory-policy", "allkeys-lru"),))
    assert valkey_files.changes(NODE, renewed) == {"maxmemory-policy": "allkeys-lru"}
    assert valkey_files.changes(NODE, replace(NODE, users=())) == {}
    assert valkey_files.changes(NODE, replace(NODE, parameters=())) is None
    assert valkey_files.changes(NODE, replace(NODE, primary=MAIN.address)) is None
