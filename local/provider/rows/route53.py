"""Records of hosted zones."""

from __future__ import annotations

from typing import Any

from goldfleet.servicer import Values
from local.provider.row import Find, Item, Make, Row, Step


def _parts(it: Item) -> tuple[str, str, str]:
    zone, _, rest = it.id.partition("_")
    name, _, kind = rest.rpartition("_")
    return zone, name, kind


def _record(values: Values) -> Values:
    result: Values = {"Name": values["name"], "Type": values["type"]}
    if values.get("aliases"):
        alias = values["aliases"][0]
        result["AliasTarget"] = {
            "DNSName": alias["name"],
            "HostedZoneId": alias["zoneId"],
            "EvaluateTargetHealth": bool(alias.get("evaluateTargetHealth")),
        }
    else:
        result["TTL"] = values["ttl"]
        result["ResourceRecords"] = [{"Value": value} for value in values["records"]]
    return result


def _change(it: Item, action: str, values: Values) -> None:
    change = {"Action": action, "ResourceRecordSet": _record(values)}
    it.aws.call("route53", "change_resource_record_sets", HostedZoneId=it["zoneId"], ChangeBatch={"Changes": [change]})


def _create(it: Item) -> str:
    _change(it, "UPSERT" if it.new.get("allowOverwrite") else "CREATE", it.new)
    return f"{it['zoneId']}_{it['name']}_{it['type']}"


def _aliases(found: Any, _it: Item) -> Any:
    alias = found.get("AliasTarget")
    if not alias:
        return None
    name = alias["DNSName"].rstrip(".")
    return [{"name": name, "zoneId": alias["HostedZoneId"], "evaluateTargetHealth": alias["EvaluateTargetHealth"]}]


def _starting_here(it: Item) -> Values:
    zone, name, kind = _parts(it)
    return {"HostedZoneId": zone, "StartRecordName": name, "StartRecordType": kind}


def _path(it: Item) -> str:
    _, name, kind = _parts(it)
    return f"ResourceRecordSets[?Name=='{name.rstrip('.')}.' && Type=='{kind}'] | [0]"


RECORD = Row(
    kind="aws:route53/record:Record",
    service="route53",
    create=Make(("aliases", "allowOverwrite", "name", "records", "ttl", "type", "zoneId"), _create),
    find=Find("list_resource_record_sets", _starting_here, _path),
    updates=(Step(("aliases", "records", "ttl"), lambda it: _change(it, "UPSERT", it.new)),),
    reads={
        "aliases": _aliases,
        "fqdn": "Name",
        "name": lambda _found, it: _parts(it)[1],
        "records": "ResourceRecords[].Value",
        "ttl": "TTL",
        "zoneId": lambda _found, it: _parts(it)[0],
    },
    own=frozenset({"allowOverwrite"}),
    delete=Step((), lambda it: _change(it, "DELETE", it.old)),
    delete_first=True,
)

ROWS = (RECORD,)
