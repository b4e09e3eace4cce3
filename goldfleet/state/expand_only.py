"""Tells what a migration must not do: take away or rename what the previous release still uses."""

from __future__ import annotations

import re

# Comments, strings, quoted names and dollar-quoted bodies are no statements.
_NOT_CODE = re.compile(
    r"""--[^\n]*            # a comment to the end of the line
    | /\*.*?\*/             # a comment in between
    | '(?:[^']|'')*'        # a string
    | "(?:[^"]|"")*"        # a quoted name
    | (\$\w*\$).*?\1        # a function's body
    """,
    re.VERBOSE | re.DOTALL,
)
_RULES = (
    (r"\bDROP\b(?!\s+NOT\s+NULL\b)", "drops something"),
    (r"\bRENAME\b", "renames something"),
    (r"\bTRUNCATE\b|^\s*DELETE\b", "deletes rows"),
    (r"\bALTER\s+(?:COLUMN\s+)?\S+\s+(?:SET\s+DATA\s+)?TYPE\b", "changes the type of a column"),
    (r"\bSET\s+NOT\s+NULL\b", "forbids NULL in a column that may hold it"),
    (r"\bADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(?!CONSTRAINT\b)\S+\s(?!.*\bDEFAULT\b).*\bNOT\s+NULL\b",
     "adds a column that the previous release does not fill: give it a DEFAULT"),
    (r"^\s*(?:BEGIN|COMMIT|ROLLBACK|END|SAVEPOINT|START\s+TRANSACTION)\b", "handles transactions itself"),
    (r"\bCONCURRENTLY\b", "cannot run in a transaction"),
)  # fmt: skip


def violations(sql: str) -> list[str]:
    """What a migration does that it must not, in its order; empty if it only adds.

    Looks at the words of each statement; what a function's body does is not looked at.
    """
    statements = _NOT_CODE.sub(" '' ", sql).split(";")
    return [
        what
        for statement in statements
        for clause in ([statement] if not _ALTER.match(statement) else _clauses(statement))
        for pattern, what in _RULES
        if re.search(pattern, clause, re.IGNORECASE | re.DOTALL)
    ]


_ALTER = re.compile(r"\s*ALTER\s+TABLE\b", re.IGNORECASE)


def _clauses(statement: str) -> list[str]:
    """The actions of an ALTER TABLE: what lies between commas outside of parentheses."""
    clauses, depth = [""], 0
    for character in statement:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            clauses.append("")
        else:
            clauses[-1] += character
    return clauses
