"""Images, launch templates, instances and the network as AWS treats them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control
from tests.local.control.stack import BLOCK, make_fleet, make_image, make_network, make_snapshot, name


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


def test_an_image_keeps_what_it_was_registered_with(control: Control) -> None:
    ec2 = control.client("ec2")
    os, app = make_snapshot(control, {}), make_snapshot(control, {0: b"a" * BLOCK}, Encrypted=True)
    image_id = make_image(
        control,
        BootMode="uefi",
        EnaSupport=True,
        ImdsSupport="v2.0",
        BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": os, "VolumeType": "gp3", "DeleteOnTermination": True}},
            {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": app}},
        ],
        TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "goldfleet:release", "Value": "ab12"}]}],
    )
    filters = [{"Name": "tag:goldfleet:release", "Values": ["ab12"]}]
    (image,) = ec2.describe_images(Owners=["self"], Filters=filters)["Images"]
    assert image["ImageId"] == image_id
    assert (image["Architecture"], image["VirtualizationType"], image["BootMode"]) == ("x86_64", "hvm", "uefi")
    assert (image["EnaSupport"], image["ImdsSupport"], image["RootDeviceName"]) == (True, "v2.0", "/dev/xvda")
    assert image["RootDeviceType"] == "ebs"
    mappings = {mapping["DeviceName"]: mapping["Ebs"] for mapping in image["BlockDeviceMappings"]}
    assert mappings["/dev/xvda"]["VolumeType"] == "gp3"
    assert mappings["/dev/sdf"]["SnapshotId"] == app
    assert mappings["/dev/sdf"]["Encrypted"]


def test_an_image_without_architecture_is_an_old_one(control: Control) -> None:
    ec2 = control.client("ec2")
    mapping = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": make_snapshot(control, {})}}
    image_id = ec2.register_image(Name=name("image"), BlockDeviceMappings=[mapping])["ImageId"]
    (image,) = ec2.describe_images(ImageIds=[image_id])["Images"]
    assert (image["Architecture"], image["VirtualizationType"]) == ("i386", "paravirtual")


@pytest.mark.parametrize(
    ("ebs", "error"),
    [
        ({"Encrypted": True}, "InvalidBlockDeviceMapping"),
        ({"Encrypted": False}, "InvalidBlockDeviceMapping"),
        ({"SnapshotId": "snap-0123"}, "InvalidSnapshot.NotFound"),
    ],
)
def test_a_mapping_that_aws_refuses_is_refused(control: Control, ebs: dict[str, Any], error: str) -> None:
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": make_snapshot(control, {}), **ebs}}
    with pytest.raises(ClientError, match=error):
        make_image(control, BlockDeviceMappings=[mapping])


def test_the_root_device_must_be_mapped(control: Control) -> None:
    with pytest.raises(ClientError, match="InvalidBlockDeviceMapping"):
        make_image(control, RootDeviceName="/dev/sda1")


def test_a_pending_snapshot_is_no_image_yet(control: Control) -> None:
    snapshot_id = control.client("ebs").start_snapshot(VolumeSize=1)["SnapshotId"]
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}
    with pytest.raises(ClientError, match="IncorrectState"):
        make_image(control, BlockDeviceMappings=[mapping])


def test_two_images_never_have_the_same_name(control: Control) -> None:
    make_image(control, Name="the-same")
    with pytest.raises(ClientError, match=r"InvalidAMIName\.Duplicate"):
        make_image(control, Name="the-same")


def test_the_snapshot_of_an_image_stays_until_the_image_is_gone(control: Control) -> None:
    ec2, image_id = control.client("ec2"), make_image(control)
    (image,) = ec2.describe_images(ImageIds=[image_id])["Images"]
    snapshot_id = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    with pytest.raises(ClientError, match=r"InvalidSnapshot\.InUse"):
        ec2.delete_snapshot(SnapshotId=snapshot_id)
    ec2.deregister_image(ImageId=image_id)
    ec2.delete_snapshot(SnapshotId=snapshot_id)


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
