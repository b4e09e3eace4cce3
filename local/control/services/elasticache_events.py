"""ElastiCache's events: what happened to nodes and replication groups, as DescribeEvents tells it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult, PaginatedResult
from moto.elasticache.models import ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse

NODE, GROUP = "cache-cluster", "replication-group"
KEPT = 1000
"""Events; AWS keeps 14 days."""
_MINUTES = 60


@dataclass(frozen=True)
class Event:
    """One event; `source_type` is one of ElastiCache's, `date` has a time zone."""

    source_type: str
    source: str
    message: str
    date: datetime


class StoreEvents(ElastiCacheBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.events: deque[Event] = deque(maxlen=KEPT)

    def happened(self, source_type: str, source: str, message: str) -> None:
        """Records an event as of now."""
        self.events.append(Event(source_type, source, message, datetime.now(UTC)))


class EventCalls(ElastiCacheResponse):
    def describe_events(self) -> ActionResult:
        backend = self.elasticache_backend
        assert isinstance(backend, StoreEvents)
        params = self._get_params()
        start, end = _span(params)
        wanted = {"source_type": params.get("SourceType"), "source": params.get("SourceIdentifier")}
        shown = [
            {
                "SourceIdentifier": event.source,
                "SourceType": event.source_type,
                "Message": event.message,
                "Date": event.date,
            }
            for event in backend.events
            if start <= event.date <= end
            and all(value in (None, getattr(event, name)) for name, value in wanted.items())
        ]
        return PaginatedResult({"Events": shown})


def _span(params: dict[str, Any]) -> tuple[datetime, datetime]:
    """From when to when; the last hour, unless said otherwise."""
    minutes = timedelta(minutes=int(params.get("Duration") or _MINUTES))
    start, end = _moment(params.get("StartTime")), _moment(params.get("EndTime"))
    if start is not None:
        return start, end or (start + minutes if params.get("Duration") else datetime.now(UTC))
    end = end or datetime.now(UTC)
    return end - minutes, end


def _moment(given: Any) -> datetime | None:
    if given is None:
        return None
    time = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    return time if time.tzinfo else time.replace(tzinfo=UTC)
