from __future__ import annotations

import pytest

from goldfleet.state.expand_only import violations

GOOD = [
    "CREATE TABLE a (id bigint PRIMARY KEY, b text NOT NULL, dropped timestamptz);",
    "CREATE INDEX a_by_b ON a (b); COMMENT ON TABLE a IS 'we DROP nothing';",
    "ALTER TABLE a ADD COLUMN c text;",
    "ALTER TABLE a ADD COLUMN c text NOT NULL DEFAULT '';",
    "ALTER TABLE a ADD COLUMN c numeric(10, 2) DEFAULT 0 NOT NULL, ADD COLUMN d text;",
    "ALTER TABLE a ALTER COLUMN b DROP NOT NULL;",
    "ALTER TABLE a ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;",
    "-- DROP TABLE a;\n/* TRUNCATE a; */ SELECT 'RENAME', \"drop\" FROM a;",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ DELETE FROM a; DROP TABLE a $body$;",
    "UPDATE a SET b = 'x' WHERE b IS NULL;",
    "GRANT DELETE ON a TO app;",
    "",
]

BAD = [
    ("DROP TABLE a;", "drops"),
    ("drop\n index a_by_b;", "drops"),
    ("ALTER TABLE a DROP COLUMN b;", "drops"),
    ("ALTER TABLE a ADD COLUMN c text, DROP b;", "drops"),
    ("ALTER TABLE a ALTER COLUMN b DROP DEFAULT;", "drops"),
    ("ALTER TABLE a RENAME TO b;", "renames"),
    ("ALTER TABLE a RENAME COLUMN b TO c;", "renames"),
    ("TRUNCATE a;", "deletes rows"),
    ("CREATE TABLE b (id int); DELETE FROM a;", "deletes rows"),
    ("ALTER TABLE a ALTER COLUMN b TYPE int;", "type of a column"),
    ("ALTER TABLE a ALTER b SET DATA TYPE int USING b::int;", "type of a column"),
    ("ALTER TABLE a ALTER COLUMN b SET NOT NULL;", "forbids NULL"),
    ("ALTER TABLE a ADD COLUMN c text NOT NULL;", "DEFAULT"),
    ("ALTER TABLE a ADD c text NOT NULL, ADD d text DEFAULT '';", "DEFAULT"),
    ("BEGIN; CREATE TABLE b (id int); COMMIT;", "transactions"),
    ("CREATE INDEX CONCURRENTLY a_by_b ON a (b);", "transaction"),
]


@pytest.mark.parametrize("sql", GOOD)
def test_what_only_adds_is_allowed(sql: str) -> None:
    assert violations(sql) == []


@pytest.mark.parametrize(("sql", "what"), BAD)
def test_what_takes_away_is_refused(sql: str, what: str) -> None:
    assert what in " ".join(violations(sql))
