"""Certificates and their validation."""

from __future__ import annotations

from typing import Any

from goldfleet.servicer import Values
from local.provider.row import Call, Find, Item, Make, Row, Tags, Wait
from local.provider.tagging import pairs


def _certificate(it: Item) -> Values:
    return {"CertificateArn": it.id}


def _options(found: Any, _it: Item) -> list[Values]:
    return [
        {
            "domainName": option["DomainName"],
            **{f"resourceRecord{key}": value for key, value in (option.get("ResourceRecord") or {}).items()},
        }
        for option in found.get("DomainValidationOptions") or ()
    ]


def _names(found: Any, _it: Item) -> list[str]:
    return [name for name in found.get("SubjectAlternativeNames") or () if name != found["DomainName"]]


CERTIFICATE = Row(
    kind="aws:acm/certificate:Certificate",
    service="acm",
    create=Call("request_certificate"),
    id="CertificateArn",
    find=Find("describe_certificate", _certificate, "Certificate"),
    reads={
        "arn": "CertificateArn",
        "domainValidationOptions": _options,
        "subjectAlternativeNames": _names,
        "validationMethod": "DomainValidationOptions[0].ValidationMethod",
    },
    tags=Tags(
        add="add_tags_to_certificate",
        remove="remove_tags_from_certificate",
        whose=_certificate,
        read=Find("list_tags_for_certificate", _certificate),
        at_create=lambda tags: {"Tags": pairs(tags)},
        keys="Tags",
    ),
    ready=Wait(
        "known to need validation",
        "DomainValidationOptions[0].ResourceRecord.Type || Status",
        frozenset({"CNAME", "ISSUED"}),
        frozenset({"FAILED"}),
    ),
    delete=Call("delete_certificate", _certificate),
)

CERTIFICATE_VALIDATION = Row(
    kind="aws:acm/certificateValidation:CertificateValidation",
    service="acm",
    create=Make(("certificateArn", "validationRecordFqdns"), lambda it: str(it["certificateArn"])),
    find=Find("describe_certificate", _certificate, "Certificate"),
    hidden=frozenset({"validationRecordFqdns"}),
    ready=Wait("issued", "Status", frozenset({"ISSUED"}), frozenset({"FAILED", "VALIDATION_TIMED_OUT"})),
)

ROWS = (CERTIFICATE, CERTIFICATE_VALIDATION)
