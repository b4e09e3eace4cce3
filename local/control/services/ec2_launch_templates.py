"""EC2 launch templates: versions can be deleted, and a version made from a source version inherits its parameters.

AWS, "CreateLaunchTemplateVersion": "the new version inherits the parameters of the source version". Numbers are never
used again. AWS, "DeleteLaunchTemplateVersions": the default version cannot be deleted.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidLaunchTemplateVersionNotFound
from moto.ec2.models import EC2Backend, launch_templates
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses import EC2Response
from moto.ec2.utils import parse_user_data
from typing_extensions import override

from local.control.extend import use_model

MOST_VERSIONS = 10_000
"""That a launch template may have: all are told in one page."""
LARGEST_PAGE = 200


class NumberedTemplate(LaunchTemplate):
    """A launch template whose versions keep their numbers when others are deleted."""

    last_number = 0

    def create_version(self, data: dict[str, Any], description: str) -> LaunchTemplateVersion:
        self.last_number += 1
        version = LaunchTemplateVersion(self, self.last_number, _without_own_tags(data), description)
        self.versions.append(version)
        return version

    def get_version(self, num: Any) -> LaunchTemplateVersion:
        wanted = str(num).lower()
        if wanted == "$latest":
            return self.versions[-1]
        number = str(self.default_version_number) if wanted == "$default" else wanted
        for version in self.versions:
            if str(version.number) == number:
                return version
        raise InvalidLaunchTemplateVersionNotFound(template_id=self.id, version=num)

    def default_version(self) -> LaunchTemplateVersion:
        return self.get_version("$Default")


class LaunchTemplates(EC2Backend):
    @override
    def describe_launch_template_versions(
        self,
        template_name: str,
        template_id: str,
        versions: list[str],
        min_version: int,
        max_version: int,
        max_results: int,
    ) -> list[tuple[LaunchTemplate, LaunchTemplateVersion]]:
        return super().describe_launch_template_versions(
            template_name, template_id, versions, min_version, max_version, max(max_results, MOST_VERSIONS)
        )


class LaunchTemplateCalls(EC2Response):
    def describe_launch_templates(self) -> ActionResult:
        self.error_on_dryrun()
        params = self._get_params()
        found = self.ec2_backend.describe_launch_templates(
            params.get("LaunchTemplateNames"), params.get("LaunchTemplateIds"), self._filters_from_querystring()
        )
        start = int(params.get("NextToken", 0))
        end = start + int(params.get("MaxResults", LARGEST_PAGE))
        token = {"NextToken": str(end)} if end < len(found) else {}
        return ActionResult({"LaunchTemplates": [self._described(one) for one in found[start:end]], **token})

    def create_launch_template_version(self) -> ActionResult:
        params = self._get_params()
        given = params["LaunchTemplateData"]
        if given.get("UserData") is not None:
            given["UserData"] = parse_user_data(given["UserData"])
        if params.get("SourceVersion"):
            source = self._template().get_version(params["SourceVersion"])
            params["LaunchTemplateData"] = {**source.data, **given}
        return super().create_launch_template_version()

    def delete_launch_template_versions(self) -> ActionResult:
        self.error_on_dryrun()
        template = self._template()
        deleted, kept = [], []
        for number in self._get_params()["Versions"]:
            reason = _reason_to_keep(template, number)
            if reason is None:
                template.versions.remove(template.get_version(number))
                deleted.append(_named(template, number))
            else:
                code, message = reason
                kept.append({**_named(template, number), "ResponseError": {"Code": code, "Message": message}})
        return ActionResult(
            {
                "SuccessfullyDeletedLaunchTemplateVersions": deleted,
                "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
            }
        )

    def _described(self, template: LaunchTemplate) -> dict[str, Any]:
        return {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "CreateTime": template.create_time,
            "CreatedBy": f"arn:{self.partition}:iam::{self.current_account}:root",
            "DefaultVersionNumber": template.default_version_number,
            "LatestVersionNumber": template.latest_version_number,
            "Tags": template.get_tags(),
        }

    def _template(self) -> LaunchTemplate:
        name = self._get_param("LaunchTemplateName")
        if name:
            found: LaunchTemplate = self.ec2_backend.get_launch_template_by_name(name)
        else:
            found = self.ec2_backend.get_launch_template(self._get_param("LaunchTemplateId"))
        return found


def _without_own_tags(data: dict[str, Any]) -> dict[str, Any]:
    """The template's own tags, which moto notes in the first version, are no part of what an instance gets."""
    told = [one for one in data.get("TagSpecifications", ()) if one["ResourceType"] != "launch-template"]
    rest = {key: value for key, value in data.items() if key != "TagSpecifications"}
    return {**rest, "TagSpecifications": told} if told else rest


def _reason_to_keep(template: LaunchTemplate, number: str) -> tuple[str, str] | None:
    if str(number) == str(template.default_version_number):
        return "unexpectedError", "The default version of a launch template cannot be deleted"
    if str(number) not in {str(version.number) for version in template.versions}:
        return "launchTemplateVersionDoesNotExist", f"Version {number} does not exist"
    return None


def _named(template: LaunchTemplate, number: str) -> dict[str, Any]:
    return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": int(number)}


def install() -> None:
    """Puts this file in moto's place."""
    use_model(LaunchTemplate, NumberedTemplate, launch_templates)
