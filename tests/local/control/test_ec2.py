"""Launch templates, instances and the network as AWS treats them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control
from tests.local.control.stack import make_fleet, make_image, make_network, name


def _run(control: Control, **options: Any) -> dict[str, Any]:
    subnet = make_network(control).subnets[0]
    given = {"MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
    answer = control.client("ec2").run_instances(**{**given, **options})
    instance_id = answer["Instances"][0]["InstanceId"]
    found: dict[str, Any] = control.client("ec2").describe_instances(InstanceIds=[instance_id])
    instance: dict[str, Any] = found["Reservations"][0]["Instances"][0]
    return instance


def _template(control: Control, **data: Any) -> str:
    answer = control.client("ec2").create_launch_template(
        LaunchTemplateName=name("template"),
        LaunchTemplateData={"ImageId": make_image(control), "InstanceType": "t3.micro", **data},
    )
    template: str = answer["LaunchTemplate"]["LaunchTemplateId"]
    return template


def test_a_template_version_inherits_from_its_source(control: Control) -> None:
    ec2, text = control.client("ec2"), base64.b64encode(b'{"a": 1}').decode()
    template = _template(control, UserData=text)
    ec2.create_launch_template_version(
        LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}
    )
    answer = ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["2"])
    data = answer["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert data["InstanceType"] == "t3.small"
    assert data["UserData"] == text
    assert data["ImageId"]


def test_a_templates_own_tags_are_no_part_of_its_versions(control: Control) -> None:
    ec2 = control.client("ec2")
    data = {"InstanceType": "t3.micro", "TagSpecifications": [_tags("volume")]}
    answer = ec2.create_launch_template(
        LaunchTemplateName=name("template"), LaunchTemplateData=data, TagSpecifications=[_tags("launch-template")]
    )
    template = answer["LaunchTemplate"]["LaunchTemplateId"]
    ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=data)
    answer = ec2.describe_launch_template_versions(LaunchTemplateId=template)
    assert [version["LaunchTemplateData"] for version in answer["LaunchTemplateVersions"]] == [data, data]
    (described,) = ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"]
    assert described["Tags"] == _tags("launch-template")["Tags"]


def _tags(kind: str) -> dict[str, Any]:
    return {"ResourceType": kind, "Tags": [{"Key": "colour", "Value": "gold"}]}


def test_template_versions_are_deleted_but_for_the_default(control: Control) -> None:
    ec2, template = control.client("ec2"), _template(control)
    for _ in range(2):
        ec2.create_launch_template_version(
            LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}
        )
    answer = ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["1", "2", "9"])
    deleted = [each["VersionNumber"] for each in answer["SuccessfullyDeletedLaunchTemplateVersions"]]
    kept = {
        each["VersionNumber"]: each["ResponseError"]["Code"]
        for each in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    }
    assert deleted == [2]
    assert kept == {1: "unexpectedError", 9: "launchTemplateVersionDoesNotExist"}
    ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"InstanceType": "t3.small"})
    answer = ec2.describe_launch_template_versions(LaunchTemplateId=template)
    assert [each["VersionNumber"] for each in answer["LaunchTemplateVersions"]] == [1, 3, 4]


def test_templates_and_versions_are_told_to_the_last(control: Control) -> None:
    ec2, templates = control.client("ec2"), [_template(control) for _ in range(17)]
    assert set(templates) <= {one["LaunchTemplateId"] for one in ec2.describe_launch_templates()["LaunchTemplates"]}
    pages = list(ec2.get_paginator("describe_launch_templates").paginate(PaginationConfig={"PageSize": 5}))
    assert len(pages) > 3
    assert set(templates) <= {one["LaunchTemplateId"] for page in pages for one in page["LaunchTemplates"]}
    for _ in range(16):
        ec2.create_launch_template_version(
            LaunchTemplateId=templates[0], SourceVersion="1", LaunchTemplateData={"EbsOptimized": True}
        )
    answer = ec2.describe_launch_template_versions(LaunchTemplateId=templates[0])
    assert len(answer["LaunchTemplateVersions"]) == 17


def test_what_the_template_says_reaches_the_instance(control: Control) -> None:
    iam, profile, text = control.client("iam"), name("profile"), base64.b64encode(b'{"a": 1}').decode()
    iam.create_instance_profile(InstanceProfileName=profile)
    template = _template(
        control,
        UserData=text,
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        IamInstanceProfile={"Name": profile},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "blue"}]}],
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 9, "Encrypted": True}}],
    )
    instance = _run(control, LaunchTemplate={"LaunchTemplateId": template})
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance["IamInstanceProfile"]["Arn"].endswith(f"/{profile}")
    assert {"Key": "team", "Value": "blue"} in instance["Tags"]
    assert [mapping["DeviceName"] for mapping in instance["BlockDeviceMappings"]] == ["/dev/xvda"]
    ec2 = control.client("ec2")
    told = ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
    assert told["UserData"]["Value"] == text
    (volume,) = ec2.describe_volumes(VolumeIds=[instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]])["Volumes"]
    assert (volume["Size"], volume["Encrypted"]) == (9, True)


def test_user_data_of_a_second_version_reaches_the_instance(control: Control) -> None:
    text, template = base64.b64encode(b"second").decode(), _template(control)
    ec2 = control.client("ec2")
    ec2.create_launch_template_version(
        LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"UserData": text}
    )
    instance = _run(control, LaunchTemplate={"LaunchTemplateId": template, "Version": "2"})
    told = ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
    assert told["UserData"]["Value"] == text


def test_security_groups_of_a_templates_network_interface_reach_the_instance(control: Control) -> None:
    network, ec2 = make_network(control), control.client("ec2")
    group = ec2.create_security_group(GroupName=name("sg"), Description="x", VpcId=network.vpc)["GroupId"]
    interface = {"DeviceIndex": 0, "AssociatePublicIpAddress": False, "Groups": [group]}
    template = _template(control, NetworkInterfaces=[interface])
    instance = _run(control, LaunchTemplate={"LaunchTemplateId": template}, SubnetId=network.subnets[0])
    assert [each["GroupId"] for each in instance["SecurityGroups"]] == [group]
    assert "PublicIpAddress" not in instance


def test_an_instance_has_an_address_of_this_machine(control: Control) -> None:
    instance = _run(control, ImageId=make_image(control), InstanceType="t3.micro")
    assert instance["PrivateIpAddress"].startswith(f"127.{control.network}.")
    assert instance["NetworkInterfaces"][0]["PrivateIpAddress"] == instance["PrivateIpAddress"]


def test_unknown_images_and_types_are_refused(control: Control) -> None:
    with pytest.raises(ClientError, match=r"InvalidAMIID\.NotFound"):
        _run(control, ImageId="ami-0123456789abcdef0", InstanceType="t3.micro")
    with pytest.raises(ClientError, match="InvalidInstanceType"):
        _run(control, ImageId=make_image(control), InstanceType="t3.imaginary")


def test_a_deregistered_image_starts_nothing_and_its_instances_stay(control: Control) -> None:
    image = make_image(control)
    instance = _run(control, ImageId=image, InstanceType="t3.micro")["InstanceId"]
    control.client("ec2").deregister_image(ImageId=image)
    with pytest.raises(ClientError, match=r"InvalidAMIID\.Unavailable"):
        _run(control, ImageId=image, InstanceType="t3.micro")
    found = control.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "running"


def test_a_console_shows_what_the_instance_wrote(control: Control) -> None:
    instance = _run(control, ImageId=make_image(control), InstanceType="t3.micro")["InstanceId"]
    control.local("POST", "instances", {instance: {"console": "boot failed"}})
    answer = control.client("ec2").get_console_output(InstanceId=instance)
    assert answer["Output"] == "boot failed"


def test_a_subnet_with_instances_stays(control: Control) -> None:
    fleet = make_fleet(control)
    with pytest.raises(ClientError, match="DependencyViolation"):
        control.client("ec2").delete_subnet(SubnetId=fleet.network.subnets[0])


def test_a_security_group_that_another_refers_to_stays(control: Control) -> None:
    network, ec2 = make_network(control), control.client("ec2")
    app, data = (
        ec2.create_security_group(GroupName=name("sg"), Description="x", VpcId=network.vpc)["GroupId"] for _ in "ab"
    )
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": app}]}
    ec2.authorize_security_group_ingress(GroupId=data, IpPermissions=[rule])
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=app)
    ec2.revoke_security_group_ingress(GroupId=data, IpPermissions=[rule])
    ec2.delete_security_group(GroupId=app)
