from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldfleet.state.exceptions import BadStatement
from goldfleet.state.statements import check

LEAVES_NOTHING = (
    "SELECT 1",
    "  select text FROM notes WHERE text = 'SET x'",
    "INSERT INTO settings VALUES ($1)",
    "SET LOCAL work_mem = '8MB'",
    "set  local statement_timeout = 100",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET CONSTRAINTS ALL DEFERRED",
    "SAVEPOINT a",
    "ROLLBACK TO a",
    "ROLLBACK TO SAVEPOINT a",
    "ROLLBACK WORK TO a",
    "RELEASE a",
    "SELECT pg_advisory_xact_lock(1)",
    "SELECT set_config('app.user', $1, true)",
    "DECLARE c CURSOR FOR SELECT 1",
    "UPDATE starts SET begin = 1",
    "SELECT setting FROM endings",
    "WITH begins AS (SELECT 1) SELECT * FROM begins",
    "NOTIFY people",
)
LEAVES_SOMETHING = (
    "SET work_mem = '8MB'",
    "set session role other",
    "SET default_transaction_read_only = off",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "-- harmless\n  /* really */ SET search_path = other",
    "RESET ALL",
    "BEGIN",
    "begin read write",
    "START TRANSACTION",
    "COMMIT",
    "COMMIT AND CHAIN",
    "END",
    "ROLLBACK",
    "ABORT",
    "PREPARE p AS SELECT 1",
    "PREPARE TRANSACTION 'x'",
    "DEALLOCATE ALL",
    "DISCARD ALL",
    "LISTEN people",
    "UNLISTEN *",
    "LOAD 'auto_explain'",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
    "CREATE TEMP TABLE t (id int)",
    "CREATE LOCAL TEMPORARY TABLE t (id int)",
    "SELECT 1 AS id INTO TEMP t",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_try_advisory_lock_shared (1)",
    "SELECT set_config('default_transaction_read_only', 'off', false)",
    "SELECT set_config('role', $1, $2)",
)


@pytest.mark.parametrize("sql", LEAVES_NOTHING)
def test_what_leaves_nothing_behind_may_run(sql: str) -> None:
    check(sql)


@pytest.mark.parametrize("sql", LEAVES_SOMETHING)
def test_what_leaves_something_behind_is_refused(sql: str) -> None:
    with pytest.raises(BadStatement, match="would outlive it"):
        check(sql)


@given(st.text())
def test_any_text_is_told_quickly(sql: str) -> None:
    with suppress(BadStatement):
        check(sql)


@pytest.mark.parametrize(
    "sql", ["SET LOCAL synchronous_commit = off", "SELECT 1, set_config('synchronous_commit', 'off', true)"]
)
def test_a_commit_that_does_not_wait_is_refused(sql: str) -> None:
    with pytest.raises(BadStatement, match="does not wait for the disk"):
        check(sql)
