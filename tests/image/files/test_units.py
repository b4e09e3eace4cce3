"""What the image's own files promise: limits in time as the contract says, mounts, the sandbox, no logins."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from goldfleet.contract import deadlines, service
from image import gpt
from image.report import health, units
from image.report.sockets import reasons
from image.sidecar import journal, shipper

IMAGE = Path(__file__).parents[3] / "image"
ETC = IMAGE / "files" / "etc"
SYSTEM = ETC / "systemd" / "system"
OWN = sorted(path.name for path in SYSTEM.glob("goldfleet-*.service"))


class Unit(configparser.RawConfigParser):
    """A unit file: keys are as written, and the last of a repeated key counts."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, interpolation=None, delimiters=("=",))
        self.optionxform = str  # type: ignore[assignment,method-assign]
        self.read_string(path.read_text())


@pytest.fixture(scope="module")
def app() -> Unit:
    return Unit(SYSTEM / service.UNIT)


def test_the_apps_unit_keeps_the_contract(app: Unit) -> None:
    told = app["Service"]
    assert told["TimeoutStopSec"] == str(deadlines.STOP)
    assert told["KillSignal"] == service.STOP_SIGNAL.name
    assert told["User"] == service.USER
    assert f"--layer {health.LAYER}" in told["ExecStart"]
    assert app["Unit"]["RequiresMountsFor"] == health.LAYER


def test_the_sidecar_stops_after_the_app_and_has_time_to_ship_what_is_left(app: Unit) -> None:
    sidecar = Unit(SYSTEM / "goldfleet-sidecar.service")
    assert "goldfleet-sidecar.service" in app["Unit"]["After"]
    assert float(sidecar["Service"]["TimeoutStopSec"]) > shipper.FLUSH + journal.SETTLE
    assert sidecar["Service"]["User"] == service.USER


def test_the_report_outlasts_a_migration() -> None:
    report = Unit(SYSTEM / "goldfleet-report.service")
    assert float(report["Service"]["RuntimeMaxSec"]) > health.WAIT > deadlines.MIGRATION


def test_what_is_mounted() -> None:
    rows = [line.split() for line in (ETC / "fstab").read_text().splitlines() if not line.startswith("#")]
    mounts = {row[1]: (row[0], row[2], set(row[3].split(","))) for row in rows}
    device, kind, options = mounts.pop(health.LAYER)
    assert (device, kind) == (f"PARTUUID={gpt.APP_PARTITION}", "iso9660")
    assert {"ro", "nosuid", "nodev", "nofail"} <= options
    assert mounts.keys() == {"/var", "/tmp"}
    for device, _, options in mounts.values():
        assert device == "tmpfs"
        assert {"nosuid", "nodev", "noexec"} <= options
        assert any(option.startswith("size=") for option in options)


def test_every_unit_of_ours_is_started_by_something() -> None:
    started = " ".join(path.read_text() for path in SYSTEM.glob("*.target.d/*.conf"))
    named = re.findall(r"goldfleet-[\w-]+\.service", started)
    assert sorted([*named, Unit(SYSTEM / service.UNIT)["Unit"]["OnFailure"]]) == OWN


def test_a_machine_that_gives_up_powers_off_after_its_report_and_well_before_the_groups_grace(app: Unit) -> None:
    gives_up = Unit(SYSTEM / app["Unit"]["OnFailure"])
    assert gives_up["Unit"]["SuccessAction"] == gives_up["Unit"]["FailureAction"] == "poweroff"
    stays = float(gives_up["Service"]["ExecStart"].split()[-1])
    starts = int(app["Unit"]["StartLimitBurst"]) * float(app["Service"]["RestartSec"])
    assert stays > 2 * health.ASK_SYSTEMD_EVERY
    assert starts + stays < deadlines.HEALTH_GRACE / 2


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
@pytest.mark.parametrize(("unit", "most"), [(service.UNIT, 2.0), ("goldfleet-sidecar.service", 2.0)])
def test_what_is_reachable_from_outside_is_hardly_exposed(unit: str, most: float) -> None:
    command = ("systemd-analyze", "security", "--offline=true", "--no-pager", str(SYSTEM / unit))
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    exposure = units.exposure(done.stdout)
    assert exposure is not None
    assert exposure < most


def test_one_tcp_port_and_no_udp_port_of_the_clock() -> None:
    assert [port for protocol, port in reasons() if protocol == "tcp"] == [service.PORT]
    clock = (ETC / "chrony" / "chrony.conf").read_text().splitlines()
    assert {"port 0", "cmdport 0"} <= set(clock)
    assert [line.split()[1] for line in clock if line.startswith(("server", "pool"))] == ["169.254.169.123"]


def test_the_machine_that_bakes_leaves_no_name_and_no_password() -> None:
    text = (IMAGE / "customise").read_text()
    assert "usermod --lock" in text
    assert subprocess.run(["sh", "-n", str(IMAGE / "customise")], check=False, timeout=10).returncode == 0
    assert not (ETC / "hostname").exists()
    assert not (ETC / "machine-id").exists()
