"""Which statements may run on a connection that the next request gets as it is.

Between two requests nobody resets a connection, which would cost as much as a read. So no statement may leave
anything behind: no setting, no lock, no open transaction, no temporary table. docs/decisions/no-reset.md says more.
"""

from __future__ import annotations

import re
from functools import lru_cache

from goldfleet.state.exceptions import BadStatement

_COMMENTS = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_LEAVES = re.compile(
    _COMMENTS
    + r"""(?:
        BEGIN\b | START\b | COMMIT\b | END\b | ABORT\b | PREPARE\b | ROLLBACK\b (?!\s+(?:WORK\s+|TRANSACTION\s+)?TO\b)
      | SET\b (?!\s+(?:LOCAL|TRANSACTION|CONSTRAINTS)\b) | RESET\b | DISCARD\b | DEALLOCATE\b | LOAD\b
      | LISTEN\b | UNLISTEN\b
      | DECLARE\b .* \bWITH\s+HOLD\b
      | CREATE\s+ (?:(?:GLOBAL|LOCAL)\s+)? TEMP | SELECT\b .* \bINTO\s+ (?:(?:GLOBAL|LOCAL)\s+)? TEMP
    )""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_CALLS = re.compile(
    r"\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(|\bset_config\s*\((?!.*,\s*true\s*\))", re.IGNORECASE | re.DOTALL
)

_COMMITS_EARLY = re.compile(
    _COMMENTS + r"SET\b.*\bsynchronous_commit\b|.*\bset_config\s*\(\s*'synchronous_commit'", re.IGNORECASE | re.DOTALL
)


@lru_cache(maxsize=4096)
def check(sql: str) -> None:
    """Refuses a statement that would leave something behind on its connection.

    It finds what is in the statement, and nothing in the functions that it calls: these have to keep to it too.

    Raises:
        BadStatement: with what to use instead.
    """
    if _COMMITS_EARLY.match(sql):
        raise BadStatement(
            f"statement {sql[:60]!r}",
            "a session could not tell where in the log a commit is that does not wait for the disk",
            "set synchronous_commit for the whole database",
        )
    found = _LEAVES.match(sql) or _CALLS.search(sql)
    if found:
        said = " ".join(found.group().split())[-40:]
        raise BadStatement(
            f"statement {sql[:60]!r}",
            f"{said} would outlive it, and meet whoever gets the connection next",
            "use SET LOCAL or pg_advisory_xact_lock; leave BEGIN and COMMIT to `write`",
        )
