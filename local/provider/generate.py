"""Makes `schema.json`: `python -m local.provider.generate`.

Which inputs need a new resource is said in two places, both installed for development: CloudFormation's schemas, which
cfn-lint carries (`createOnlyProperties`), and the docstrings of pulumi_aws ("Forces new resource"). Names of inputs
and outputs are read from the sources of pulumi_aws, for importing it takes seconds.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from local.provider.plugin import ROWS
from local.provider.row import Row
from local.provider.schema import FILE

_FORCES = re.compile(r"forces (a )?new|forces (a )?replacement|requires (a )?replacement", re.IGNORECASE)

# Pulumi's type -> CloudFormation's, where the name does not follow from Pulumi's.
_CLOUDFORMATION: Mapping[str, str] = {
    "aws:autoscaling/group:Group": "AWS::AutoScaling::AutoScalingGroup",
    "aws:autoscaling/policy:Policy": "AWS::AutoScaling::ScalingPolicy",
    "aws:acm/certificate:Certificate": "AWS::CertificateManager::Certificate",
    "aws:cloudwatch/logGroup:LogGroup": "AWS::Logs::LogGroup",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "AWS::CloudWatch::Alarm",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "AWS::EC2::SubnetRouteTableAssociation",
    "aws:elasticache/replicationGroup:ReplicationGroup": "AWS::ElastiCache::ReplicationGroup",
    "aws:elasticache/subnetGroup:SubnetGroup": "AWS::ElastiCache::SubnetGroup",
    "aws:lb/listener:Listener": "AWS::ElasticLoadBalancingV2::Listener",
    "aws:lb/loadBalancer:LoadBalancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "aws:lb/targetGroup:TargetGroup": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "aws:rds/eventSubscription:EventSubscription": "AWS::RDS::EventSubscription",
    "aws:rds/instance:Instance": "AWS::RDS::DBInstance",
    "aws:rds/parameterGroup:ParameterGroup": "AWS::RDS::DBParameterGroup",
    "aws:rds/subnetGroup:SubnetGroup": "AWS::RDS::DBSubnetGroup",
    "aws:route53/record:Record": "AWS::Route53::RecordSet",
    "aws:secretsmanager/secret:Secret": "AWS::SecretsManager::Secret",
    "aws:sns/topicSubscription:TopicSubscription": "AWS::SNS::Subscription",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "",
}


def schema(row: Row) -> dict[str, Any]:
    """What `schema.json` says of a row's type."""
    inputs, outputs = _properties(row)
    forced = {name for name, (_, doc) in inputs.items() if _FORCES.search(doc)}
    created = {name for name in inputs if _parameter(row, name).casefold() in _create_only(row)}
    return {
        "inputs": sorted(inputs),
        "outputs": {name: kind for name, (kind, _) in sorted(outputs.items())},
        "replaces": sorted(forced | created),
    }


def _parameter(row: Row, name: str) -> str:
    writes = row.writes.get(name, name)
    return writes if isinstance(writes, str) else writes[0]


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the package {name} is not installed", name=name)
    return Path(spec.origin).parent


Properties: TypeAlias = dict[str, tuple[str, str]]
"""Kind and docstring, by name."""


def _properties(row: Row) -> tuple[Properties, Properties]:
    """The type's inputs and outputs."""
    _, module, name = row.kind.split(":")
    for path in sorted(_package("pulumi_aws").joinpath(module.split("/")[0]).glob("*.py")):
        text = path.read_text()
        if f"'{row.kind}'" in text and f"class {name}(" in text:
            classes = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
            return dict(_getters(_arguments(classes, name))), dict(_getters(classes[name]))
    raise LookupError(f"pulumi_aws has no type {row.kind}")


def _arguments(classes: Mapping[str, ast.ClassDef], name: str) -> ast.ClassDef:
    """The class of a type's inputs; a name that another class has already gets a tail."""
    return next(node for key, node in classes.items() if key.startswith(f"{name}") and key.endswith("Args"))


def _getters(node: ast.ClassDef) -> Iterator[tuple[str, tuple[str, str]]]:
    """Name, kind and docstring of every property of a class of the SDK."""
    for function in node.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        for decorator in function.decorator_list:
            if "pulumi.getter" in (text := ast.unparse(decorator)):
                named = re.search(r"name='(\w+)'", text)
                name = named.group(1) if named else function.name
                yield name, (_kind(function.returns), ast.get_docstring(function) or "")


def _kind(annotation: ast.expr | None) -> str:
    """`bool`, `int`, `float`, `str`, `list` of these, or `other`."""
    text = ast.unparse(annotation) if annotation else ""
    found = re.fullmatch(r"pulumi\.Output\[(?:Optional\[)?(Sequence\[)?_builtins\.(\w+)\]*", text)
    if found is None:
        return "other"
    return "list" if found.group(1) else found.group(2)


def _create_only(row: Row) -> frozenset[str]:
    """CloudFormation's properties that are only set at creation, lower case."""
    service, name = row.kind.split(":")[1].split("/")[0], row.kind.split(":")[2]
    folder = _package("cfnlint") / "data" / "schemas"
    index: dict[str, str] = json.loads((folder / "providers" / "us-east-1.json").read_text())
    wanted = _CLOUDFORMATION.get(row.kind, f"AWS::{service}::{name}").casefold()
    digest = next((digest for kind, digest in index.items() if kind.casefold() == wanted), None)
    if digest is None:
        return frozenset()
    content: Any = json.loads((folder / "resources" / f"{digest}.json").read_text())
    paths = content.get("createOnlyProperties") or ()
    return frozenset(path.removeprefix("/properties/").casefold() for path in paths)


def text() -> str:
    """The whole file."""
    return json.dumps({row.kind: schema(row) for row in ROWS}, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
