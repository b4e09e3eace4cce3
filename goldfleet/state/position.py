"""How far a shard's write-ahead log has got: what a session has written, what a replica has replayed."""

from __future__ import annotations

from dataclasses import dataclass

PAGE = 8192
PAGE_HEADER = 24
"""Bytes of a page of the write-ahead log, and of its header (PostgreSQL, "WAL Internals")."""


@dataclass(frozen=True)
class Position:
    """A place in the write-ahead log of a shard's main.

    Args:
        shard: index of the shard.
        timeline: which history of the database; grows with each promotion.
        lsn: log sequence number in bytes (PostgreSQL, "pg_lsn Type").
    """

    shard: int
    timeline: int
    lsn: int

    @property
    def reached(self) -> tuple[int, int]:
        """Compares as time does: the later of two positions of a shard is the greater one."""
        return self.timeline, self.lsn

    def replayed_by(self, reached: tuple[int, int]) -> bool:
        """True if a server that has reached this timeline and LSN has everything up to here.

        Both must be as far. On an earlier timeline an LSN beyond a promotion is another history. On a later timeline a
        smaller LSN may lie before the promotion.
        """
        return reached[0] >= self.timeline and reached[1] >= self.lsn

    def to_text(self) -> str:
        """Shard, then timeline and LSN in hexadecimal digits of fixed width, so that texts compare as positions do."""
        return f"{self.shard}:{self.timeline:08x}:{self.lsn:016x}"

    @classmethod
    def from_text(cls, text: str) -> Position:
        """Reads what `to_text` wrote.

        Raises:
            ValueError: it has another shape.
        """
        shard, timeline, lsn = text.split(":")
        return cls(int(shard), int(timeline, 16), int(lsn, 16))


@dataclass(frozen=True)
class Written:
    """A committed write.

    Args:
        position: where the main's log was after the commit.
        renewed: False if the cache could not be told, so that it may hold what was there before.
    """

    position: Position
    renewed: bool = True


def end_of_log(insert: int) -> int:
    """Where the last record ends, from where the next one begins.

    The two differ when a record ends with its page: the next one begins behind the next page's header, and a replica
    that has everything stays that many bytes short for as long as the main is quiet. The first page of a segment has a
    longer header; there the place is left as it is, and the main answers until its next record.

    Args:
        insert: what `pg_current_wal_insert_lsn()` says, in bytes; the place of the last flush is such an end already.
    """
    return insert - PAGE_HEADER if insert % PAGE == PAGE_HEADER else insert
