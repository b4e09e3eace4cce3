"""Checks of the balancer and its certificate: ELB, ACM."""

from __future__ import annotations

from tests.infra.control_checks.reading import Checks, all_of, documents
from tests.infra.recorder import Resources

CHECKS = Checks()


@CHECKS.reads("ELB.1", "ELB.18")
def http_redirects(resources: Resources) -> None:
    listeners = {one.inputs["protocol"]: one.inputs["defaultActions"][0] for one in resources.of("Listener")}
    assert set(listeners) == {"HTTP", "HTTPS"}
    assert (listeners["HTTP"]["type"], listeners["HTTP"]["redirect"]["protocol"]) == ("redirect", "HTTPS")


@CHECKS.reads("ELB.4", "ELB.6", "ELB.12")
def the_balancer_is_hardened(resources: Resources) -> None:
    all_of(
        resources,
        "LoadBalancer",
        dropInvalidHeaderFields=True,
        enableDeletionProtection=True,
        desyncMitigationMode="defensive",
    )


@CHECKS.reads("ELB.5")
def access_is_logged(resources: Resources) -> None:
    assert resources.one("LoadBalancer").inputs["accessLogs"] == {"enabled": True, "bucket": "balancer-logs-bucket-id"}
    [grant] = [s for s in documents(resources, "BucketPolicy") if s["Effect"] == "Allow"]
    assert grant["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}


@CHECKS.reads("ELB.13")
def the_balancer_spans_zones(resources: Resources) -> None:
    assert len(set(resources.one("LoadBalancer").inputs["subnets"])) >= 2


@CHECKS.reads("ELB.17")
def tls_is_modern(resources: Resources) -> None:
    assert resources.one("Listener", "balancer-https").inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"


@CHECKS.reads("ACM.1", "ACM.2")
def the_certificate_renews_and_is_strong(resources: Resources) -> None:
    all_of(resources, "Certificate", validationMethod="DNS", keyAlgorithm="RSA_2048")
