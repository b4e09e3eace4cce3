"""Monthly budgets and whom they warn."""

from __future__ import annotations

from typing import Any

from goldfleet.servicer import Values
from local.provider.row import Call, Find, Item, Make, Name, Row, Step

_NOTIFICATION = {
    "comparisonOperator": "ComparisonOperator",
    "notificationType": "NotificationType",
    "threshold": "Threshold",
    "thresholdType": "ThresholdType",
}
_SUBSCRIBERS = {"subscriberEmailAddresses": "EMAIL", "subscriberSnsTopicArns": "SNS"}


def _budget(new: Values) -> Values:
    filters = {entry["name"]: list(entry["values"]) for entry in new.get("costFilters") or ()}
    return {
        "BudgetName": new["name"],
        "BudgetType": new["budgetType"],
        "TimeUnit": new["timeUnit"],
        "BudgetLimit": {"Amount": str(new["limitAmount"]), "Unit": new["limitUnit"]},
        **({"CostFilters": filters} if filters else {}),
    }


def _notification(entry: Values) -> Values:
    return {member: entry[name] for name, member in _NOTIFICATION.items() if name in entry}


def _subscribers(entry: Values) -> list[Values]:
    return [
        {"SubscriptionType": kind, "Address": address}
        for name, kind in _SUBSCRIBERS.items()
        for address in entry.get(name) or ()
    ]


def _create(it: Item) -> str:
    notifications = [
        {"Notification": _notification(entry), "Subscribers": _subscribers(entry)}
        for entry in it.new.get("notifications") or ()
    ]
    it.aws.call(
        "budgets",
        "create_budget",
        AccountId=it.aws.account_id,
        Budget=_budget(it.new),
        NotificationsWithSubscribers=notifications,
    )
    return f"{it.aws.account_id}:{it.new['name']}"


def _whose(it: Item) -> Values:
    account, _, name = it.id.partition(":")
    return {"AccountId": account, "BudgetName": name}


def _update(it: Item) -> None:
    it.aws.call("budgets", "update_budget", AccountId=it.aws.account_id, NewBudget=_budget(it.new))


def _renotify(it: Item) -> None:
    for entry in it.old.get("notifications") or ():
        it.aws.call("budgets", "delete_notification", **_whose(it), Notification=_notification(entry))
    for entry in it.new.get("notifications") or ():
        subscribers = _subscribers(entry)
        it.aws.call(
            "budgets",
            "create_notification",
            **_whose(it),
            Notification=_notification(entry),
            Subscribers=subscribers,
        )


def _filters(found: Any, _it: Item) -> Any:
    return [{"name": name, "values": values} for name, values in (found.get("CostFilters") or {}).items()] or None


_BUDGET = ("budgetType", "costFilters", "limitAmount", "limitUnit", "timeUnit")

BUDGET = Row(
    kind="aws:budgets/budget:Budget",
    service="budgets",
    create=Make(("name", "notifications", *_BUDGET), _create),
    find=Find("describe_budget", _whose, "Budget"),
    more=(Find("describe_notifications_for_budget", _whose, "Notifications", "notifications"),),
    updates=(Step(_BUDGET, _update), Step(("notifications",), _renotify)),
    reads={
        "accountId": lambda _found, it: _whose(it)["AccountId"],
        "costFilters": _filters,
        "limitAmount": "BudgetLimit.Amount",
        "limitUnit": "BudgetLimit.Unit",
        "name": "BudgetName",
    },
    hidden=frozenset({"notifications"}),
    name=Name(length=100),
    delete=Call("delete_budget", _whose),
)

ROWS = (BUDGET,)
