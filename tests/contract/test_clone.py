from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldfleet.contract.clone import SIZE_LIMIT, Shard, Store, UserData
from goldfleet.contract.stores import Endpoint
from goldfleet.errors import ContractError

text = st.text(max_size=40)
endpoints = st.builds(Endpoint, host=text, port=st.integers(1, 65535))
stores = st.builds(Store, primary=endpoints, secret=text)
shards = st.builds(Shard, main=endpoints, database=text, owner_secret=text, app_secret=text, replicas_parameter=text)
user_data = st.builds(
    UserData,
    project=text,
    stack=text,
    region=text,
    public_url=text,
    log_group=text,
    shards=st.lists(shards, min_size=1, max_size=3).map(tuple),
    sessions=stores,
    cache=stores,
    app_environment=st.dictionaries(text, text, max_size=3),
    app_secrets=st.dictionaries(text, text, max_size=3),
    aws_endpoint=st.none() | text,
    authorities=text,
)


@given(user_data)
def test_what_the_program_writes_the_launcher_reads(told: UserData) -> None:
    assert UserData.from_text(told.to_text()) == told


def example(**changed: object) -> UserData:
    fields: dict[str, object] = {
        "project": "goldfleet",
        "stack": "dev",
        "region": "eu-central-1",
        "public_url": "https://example.org",
        "log_group": "/goldfleet/dev/app",
        "shards": (Shard(Endpoint("db", 5432), "goldfleet", "owner", "app", "/replicas"),),
        "sessions": Store(Endpoint("sessions", 6379), "sessions"),
        "cache": Store(Endpoint("cache", 6379), "cache"),
    }
    return UserData(**{**fields, **changed})  # type: ignore[arg-type]


def test_the_same_content_is_the_same_text() -> None:
    one = example(app_environment={"A": "1", "B": "2"})
    other = example(app_environment={"B": "2", "A": "1"})
    assert one.to_text() == other.to_text()


def test_more_than_ec2_takes_is_refused() -> None:
    with pytest.raises(ContractError, match=str(SIZE_LIMIT)):
        example(app_environment={"A": "x" * SIZE_LIMIT}).to_text()


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("#!/bin/sh", "not JSON"),
        ("[]", "version None"),
        (json.dumps({"version": 99}), "version 99"),
        (json.dumps({"version": 1}), "shards"),
        (example().to_text().replace('"project"', '"projekt"'), "projekt"),
    ],
)
def test_other_text_is_refused_and_the_reason_is_named(written: str, named: str) -> None:
    with pytest.raises(ContractError, match=named):
        UserData.from_text(written)
