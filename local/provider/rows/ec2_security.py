"""Security groups and their rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goldfleet.errors import GoldfleetError
from goldfleet.servicer import Values
from local.provider.row import Call, Find, Item, Make, Name, Row, Step
from local.provider.rows.ec2 import arn
from local.provider.tagging import ec2_tags, pairs

GROUP = Find("describe_security_groups", lambda it: {"GroupIds": [it.id]}, "SecurityGroups[0]")


def _revoke(it: Item, direction: str, permissions: Any) -> None:
    if permissions:
        it.aws.call("ec2", f"revoke_security_group_{direction}", GroupId=it.id, IpPermissions=permissions)


def _revoke_default_egress(it: Item) -> None:
    """AWS lets a new group reach everything; the program says what it may reach."""
    found = it.aws.call("ec2", "describe_security_groups", GroupIds=[it.id])["SecurityGroups"][0]
    _revoke(it, "egress", found["IpPermissionsEgress"])


SECURITY_GROUP = Row(
    kind="aws:ec2/securityGroup:SecurityGroup",
    service="ec2",
    create=Call("create_security_group"),
    id="GroupId",
    made=_revoke_default_egress,
    find=GROUP,
    writes={"name": "GroupName"},
    reads={"arn": arn("security-group")},
    own=frozenset({"revokeRulesOnDelete"}),
    name=Name(length=255),
    tags=ec2_tags("security-group"),
    delete=Call("delete_security_group", lambda it: {"GroupId": it.id}),
)


def _adopt(it: Item) -> str:
    filters = [{"Name": "vpc-id", "Values": [it["vpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    return str(it.aws.call("ec2", "describe_security_groups", Filters=filters)["SecurityGroups"][0]["GroupId"])


def _empty(it: Item) -> None:
    if it.new.get("ingress") or it.new.get("egress"):
        raise GoldfleetError(it.context.name, "the local provider only empties it", "use a group of your own")
    found = it.aws.call("ec2", "describe_security_groups", GroupIds=[it.id])["SecurityGroups"][0]
    _revoke(it, "ingress", found["IpPermissions"])
    _revoke(it, "egress", found["IpPermissionsEgress"])


DEFAULT_SECURITY_GROUP = Row(
    kind="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    service="ec2",
    create=Make(("vpcId",), _adopt),
    find=GROUP,
    updates=(Step(("ingress", "egress"), _empty),),
    reads={"arn": arn("security-group"), "ingress": "IpPermissions", "egress": "IpPermissionsEgress"},
    tags=ec2_tags("security-group"),
)

# Input -> member of a rule, and of a permission, its older form.
_RULE = {
    "ipProtocol": "IpProtocol",
    "fromPort": "FromPort",
    "toPort": "ToPort",
    "cidrIpv4": "CidrIpv4",
    "cidrIpv6": "CidrIpv6",
    "prefixListId": "PrefixListId",
    "referencedSecurityGroupId": "ReferencedGroupId",
    "description": "Description",
}
_RANGES = {
    "cidrIpv4": ("IpRanges", "CidrIp"),
    "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListId": ("PrefixListIds", "PrefixListId"),
    "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def _permission(new: Values) -> Values:
    ports = {_RULE[name]: new[name] for name in ("ipProtocol", "fromPort", "toPort") if name in new}
    description = {"Description": new["description"]} if "description" in new else {}
    for name, (member, key) in _RANGES.items():
        if name in new:
            return {**ports, member: [{key: new[name], **description}]}
    return ports


def _authorize(direction: str) -> Callable[[Item], str]:
    def act(it: Item) -> str:
        kind = {"ResourceType": "security-group-rule", "Tags": pairs(it.new.get("tags") or {})}
        tags = {"TagSpecifications": [kind]} if it.new.get("tags") else {}
        answer = it.aws.call(
            "ec2",
            f"authorize_security_group_{direction}",
            GroupId=it["securityGroupId"],
            IpPermissions=[_permission(it.new)],
            **tags,
        )
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    return act


def _modify(it: Item) -> None:
    rule = {_RULE[name]: value for name, value in it.new.items() if name in _RULE}
    update = {"SecurityGroupRuleId": it.id, "SecurityGroupRule": rule}
    it.aws.call("ec2", "modify_security_group_rules", GroupId=it["securityGroupId"], SecurityGroupRules=[update])


def _rule(kind: str, direction: str) -> Row:
    return Row(
        kind=kind,
        service="ec2",
        create=Make((*_RULE, "securityGroupId", "tags"), _authorize(direction)),
        find=Find(
            "describe_security_group_rules",
            lambda it: {"SecurityGroupRuleIds": [it.id]},
            "SecurityGroupRules[0]",
        ),
        updates=(Step(tuple(_RULE), _modify),),
        reads={
            "arn": arn("security-group-rule"),
            "securityGroupId": "GroupId",
            "referencedSecurityGroupId": "ReferencedGroupInfo.GroupId",
        },
        tags=ec2_tags("security-group-rule"),
        delete=Call(
            f"revoke_security_group_{direction}",
            lambda it: {"GroupId": it["securityGroupId"], "SecurityGroupRuleIds": [it.id]},
        ),
    )


INGRESS_RULE = _rule("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "ingress")
EGRESS_RULE = _rule("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "egress")

ROWS = (SECURITY_GROUP, DEFAULT_SECURITY_GROUP, INGRESS_RULE, EGRESS_RULE)
