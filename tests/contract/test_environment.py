from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldfleet.contract.environment import Environment, ShardAccess, StoreAccess
from goldfleet.contract.stores import Endpoint
from goldfleet.errors import ContractError

text = st.text(max_size=40)
endpoints = st.builds(Endpoint, host=text, port=st.integers(1, 65535))
environments = st.builds(
    Environment,
    **dict.fromkeys(("project", "stack", "region", "instance_id", "zone", "release", "public_url", "host"), text),
    port=st.integers(1, 65535),
    shards=st.lists(
        st.builds(ShardAccess, main=endpoints, database=text, username=text, password_file=text, replicas_file=text),
        max_size=3,
    ).map(tuple),
    sessions=st.builds(StoreAccess, primary=endpoints, username=text, password_file=text),
    cache=st.builds(StoreAccess, primary=endpoints, username=text, password_file=text),
    secrets_dir=text,
)


@given(environments)
def test_what_the_launcher_writes_the_app_reads(environment: Environment) -> None:
    variables = {**environment.to_variables(), "PATH": "/bin"}
    assert Environment.from_variables(variables) == environment


@given(environments, st.sampled_from(sorted(Environment.__dataclass_fields__)))
def test_a_missing_variable_is_named(environment: Environment, name: str) -> None:
    variables = environment.to_variables()
    del variables[f"GOLDFLEET_{name.upper()}"]
    with pytest.raises(ContractError, match=f"GOLDFLEET_{name.upper()}: not set"):
        Environment.from_variables(variables)


@given(environments, st.sampled_from(["PORT", "SHARDS", "SESSIONS", "CACHE"]))
def test_an_unreadable_variable_is_named(environment: Environment, name: str) -> None:
    variables = {**environment.to_variables(), f"GOLDFLEET_{name}": "?"}
    with pytest.raises(ContractError, match=f"GOLDFLEET_{name}: unreadable"):
        Environment.from_variables(variables)
