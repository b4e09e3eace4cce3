from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from goldfleet.cli import pulumi_finder
from goldfleet.cli.pulumi_finder import PULUMI_VERSION, find_pulumi, recent_enough
from goldfleet.errors import ToolMissing

Script = Callable[[str, str], Path]

# Writes what `go build -o TARGET` would write, and tells how often it was called.
FAKE_GO = """\
echo called >> {calls}
while [ "$1" != -o ]; do shift; done
sleep 0.3
mkdir -p "$(dirname "$2")" && printf '#!/bin/sh\\necho v{version}\\n' > "$2" && chmod +x "$2"
"""


@pytest.fixture(autouse=True)
def no_installer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi_finder, "INSTALLER", "https://127.0.0.1:9/install.sh")


@pytest.mark.parametrize(
    ("version", "good"),
    [("v3.259.0", True), ("3.300.1\n", True), ("v3.258.9", False), ("v4.0.0", False), ("dev", False), ("", False)],
)
def test_which_versions_will_do(version: str, good: bool) -> None:
    assert recent_enough(version) is good


def test_the_one_on_path_is_taken(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = script("pulumi", f"echo v{PULUMI_VERSION}")
    monkeypatch.setenv("PATH", f"{found.parent}:/usr/bin:/bin")
    assert find_pulumi(tmp_path / "cache", print) == found
    assert not (tmp_path / "cache").exists()


def test_one_that_is_too_old_is_passed_over(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = script("pulumi", "echo v3.100.0")
    script("go", FAKE_GO.format(calls=tmp_path / "calls", version=PULUMI_VERSION))
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")
    built = find_pulumi(tmp_path / "cache", print)
    assert built == tmp_path / "cache" / "pulumi" / PULUMI_VERSION / "bin" / "pulumi"
    assert find_pulumi(tmp_path / "cache", print) == built
    assert (tmp_path / "calls").read_text().split() == ["called"]


def test_two_at_once_build_once(script: Script, tmp_path: Path) -> None:
    go = script("go", FAKE_GO.format(calls=tmp_path / "calls", version=PULUMI_VERSION))
    program = (
        "import sys; from pathlib import Path; from goldfleet.cli import pulumi_finder as f;"
        "f.INSTALLER = 'https://127.0.0.1:9/'; f.find_pulumi(Path(sys.argv[1]), print)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "cache")]
    environment = {"PATH": f"{go.parent}:/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    both = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [one.wait(60) for one in both] == [0, 0]
    assert (tmp_path / "calls").read_text().split() == ["called"]


def test_a_build_that_fails_leaves_nothing_in_the_cache(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = script("go", "echo 'no route to the module proxy' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    with pytest.raises(ToolMissing, match="no route to the module proxy"):
        find_pulumi(tmp_path / "cache", print)
    assert [path.name for path in (tmp_path / "cache" / "pulumi").iterdir()] == ["lock"]
