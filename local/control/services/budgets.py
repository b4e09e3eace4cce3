"""Budgets: a budget can be changed, and tells whom it warns.

AWS, "UpdateBudget" and "DescribeSubscribersForNotification".
"""

from __future__ import annotations

import json
from typing import Any

from moto.budgets import urls
from moto.budgets.exceptions import NotFoundException
from moto.budgets.models import Budget
from moto.budgets.responses import BudgetsResponse
from moto.core.utils import unix_time

from local.control.extend import use_response


class BudgetCalls(BudgetsResponse):
    def update_budget(self) -> str:
        new: dict[str, Any] = self._get_param("NewBudget")
        budget = self._budget(new["BudgetName"])
        budget.budget = {"TimePeriod": budget.budget["TimePeriod"], **new, "LastUpdatedTime": unix_time()}
        return json.dumps({})

    def describe_subscribers_for_notification(self) -> str:
        wanted = self._get_param("Notification")
        for notification in self._budget(self._get_param("BudgetName")).notifications:
            if notification.details == wanted:
                return json.dumps({"Subscribers": notification.subscribers})
        raise NotFoundException("Unable to get subscribers - the notification doesn't exist.")

    def _budget(self, name: str) -> Budget:
        budgets = self.backend.budgets[self._get_param("AccountId")]
        if name not in budgets:
            raise NotFoundException(f"Unable to get budget: {name} - the budget doesn't exist.")
        return budgets[name]


def install() -> None:
    """Puts this file in moto's place."""
    use_response(urls, BudgetsResponse, BudgetCalls)
