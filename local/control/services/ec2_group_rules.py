"""EC2 security group rules: every rule has its description, and a rule's other end can be changed.

AWS, "DescribeSecurityGroupRules" and "ModifySecurityGroupRules".
moto keeps the description of rules for addresses only.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend, security_groups
from moto.ec2.models.security_groups import SecurityGroupRule

from local.control.extend import use_model


class DescribedRule(SecurityGroupRule):
    """A rule whose description may stand beside a group or a prefix list."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        # moto passes addresses, group and prefix list as the sixth to eighth argument.
        other_end: dict[str, str] = next((end for end in args[5:8] if end), {})
        self._own_description: str | None = other_end.get("Description")
        self.source_group = {key: item for key, item in self.source_group.items() if key != "Description"}

    @property
    def description(self) -> str | None:
        return super().description or self._own_description


class GroupRules(EC2Backend):
    def modify_security_group_rules(self, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
        super().modify_security_group_rules(group_id, rules)
        group = self.get_security_group_by_name_or_id(group_id)
        for rule_id, wanted in rules.items():
            rule = group.get_rule(rule_id) if group else None
            if rule is None:
                continue
            if wanted.get("PrefixListId"):
                rule.prefix_list_id = wanted["PrefixListId"]
            if wanted.get("ReferencedGroupId"):
                rule.source_group = {**rule.source_group, "GroupId": wanted["ReferencedGroupId"]}


def install() -> None:
    """Puts the rule in moto's place."""
    use_model(SecurityGroupRule, DescribedRule, security_groups)
