"""The dashboard: one graph per alarm row, with its threshold.

Source: CloudWatch, "Dashboard body structure and syntax".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.alarm_rows import AlarmRow

WIDTH, HEIGHT, COLUMNS = 8, 6, 3


def dashboard(rows: Sequence[AlarmRow], dimensions: Sequence[Mapping[str, str]], region: str) -> dict[str, Any]:
    """The body of the dashboard.

    Args:
        rows: what is watched.
        dimensions: the rows' dimensions as AWS made them, in the same order.
        region: where the metrics are.
    """
    return {"widgets": [_widget(n, row, d, region) for n, (row, d) in enumerate(zip(rows, dimensions, strict=True))]}


def _widget(number: int, row: AlarmRow, dimensions: Mapping[str, str], region: str) -> dict[str, Any]:
    pairs = [part for pair in dimensions.items() for part in pair]
    return {
        "type": "metric",
        "x": number % COLUMNS * WIDTH,
        "y": number // COLUMNS * HEIGHT,
        "width": WIDTH,
        "height": HEIGHT,
        "properties": {
            "title": row.label,
            "region": region,
            "metrics": [[row.namespace, row.metric, *pairs, {"stat": row.statistic, "period": 60}]],
            "annotations": {"horizontal": [{"label": row.runbook, "value": row.threshold}]},
        },
    }
