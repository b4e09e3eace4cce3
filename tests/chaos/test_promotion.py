"""What may be lost when a replica takes a lost main's place, and what may not."""

from __future__ import annotations

from chaos.audit import Audit
from chaos.faults.promotion import LOST_THOUGH_RECEIVED, broken
from chaos.line import OVER, STRUCK, Line
from chaos.tally import Failure, Kind, Tally


def line(audit: Audit | None, *failures: Failure, received: int = 0) -> Line:
    tally = Tally(failures=list(failures))
    tally.add(130.0, 0.01)
    return Line(tally, {STRUCK: 100.0, OVER: 120.0}, {LOST_THOUGH_RECEIVED: received}, audit)


def audited(*lost: int, unseen: tuple[int, ...] = (), logins: int = 0) -> Audit:
    return Audit(100, 10, lost, (*lost, *unseen), logins)


def missing(*posts: int) -> Failure:
    return Failure(125.0, 0.1, Kind.WRONG, "own posts missing", "GET /x", missing=posts)


def test_what_the_replica_had_not_received_may_be_lost_and_is_missed() -> None:
    assert broken(line(audited(7), missing(7))) == []


def test_what_it_had_may_not() -> None:
    assert broken(line(audited(7, 8), received=1)) == ["1 posts lost that the replica had"]


def test_nothing_else_may_be_wrong() -> None:
    lost, kept = 7, 8
    assert broken(line(audited(lost), missing(lost, kept)))
    assert broken(line(audited(lost), Failure(125.0, 0.1, Kind.WRONG, "login lost", "GET /x")))
    assert broken(line(audited(lost, unseen=(kept,))))
    assert broken(line(audited(lost, logins=1)))


def test_nobody_proves_nothing() -> None:
    assert broken(line(None))
