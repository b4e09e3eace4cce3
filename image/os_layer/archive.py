"""Debian's archive as this machine's own apt knows it: which packages there are now, and their files.

apt runs on state folders of its own, so that the machine's packages, lists and holds neither count nor change. Of its
sources only those that name the suite are asked, and of what they offer only what Debian made for it counts.
Source: apt-get(8), sources.list(5), apt_preferences(5), apt-patterns(7).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from goldfleet.errors import ReleaseError
from image.os_layer.lock import Package
from image.os_layer.tools import require, run

WHERE, CONFIGURATION = "Debian archive", "apt sources"
ARCHITECTURE = "amd64"
UPDATE_TIMEOUT, RESOLVE_TIMEOUT, DOWNLOAD_TIMEOUT = 300.0, 120.0, 1800.0
"""Seconds. apt itself gives up on a silent server sooner."""
_INSTALLS = re.compile(r"^Inst (?P<name>\S+) \((?P<version>\S+) ", re.MULTILINE)
_ESSENTIAL = f"?narrow(?architecture({ARCHITECTURE}),?essential)"


@dataclass(frozen=True)
class Archive:
    """An archive whose lists were read just now.

    Args:
        suite: codename, for example `bookworm`.
        options: what makes apt use the state of this archive.
    """

    suite: str
    options: tuple[str, ...]

    def resolve(self, names: Sequence[str]) -> tuple[Package, ...]:
        """The packages that a system with `names` is made of, with all that is essential and all they depend on.

        Raises:
            ReleaseError: there is no such package, or no set of them fits together.
        """
        wanted = ["install", "--simulate", "--no-install-recommends", _ESSENTIAL, *names]
        text = self._apt("apt-get", *wanted, timeout=RESOLVE_TIMEOUT)
        chosen = [f"{match['name']}={match['version']}" for match in _INSTALLS.finditer(text)]
        found = self.find(chosen)
        if lacking := set(chosen) - found.keys():
            raise ReleaseError(WHERE, f"{', '.join(sorted(lacking))} cannot be described", "run it again")
        return tuple(sorted(found.values()))

    def find(self, chosen: Sequence[str]) -> dict[str, Package]:
        """Those of `chosen` (`name=version`) that the archive still has."""
        text = self._apt("apt-cache", "show", *chosen, timeout=RESOLVE_TIMEOUT)
        packages = [_package(stanza) for stanza in text.split("\n\n") if stanza.strip()]
        wanted = set(chosen)
        return {key: package for package in packages if (key := f"{package.name}={package.version}") in wanted}

    def download(self, packages: Sequence[Package], folder: Path) -> list[Path]:
        """Fetches the files of packages that the archive has into an empty folder."""
        names = [f"{package.name}={package.version}" for package in packages]
        self._apt("apt-get", "download", *names, timeout=DOWNLOAD_TIMEOUT, folder=folder)
        return sorted(folder.glob("*.deb"))

    def _apt(self, program: str, *arguments: str, timeout: float, folder: Path | None = None) -> str:
        return run([program, "--quiet=2", *self.options, *arguments], WHERE, timeout, folder=folder)


@contextmanager
def opened(suite: str) -> Iterator[Archive]:
    """The archive as it is now, by the sources in this machine's apt configuration.

    Raises:
        ReleaseError: the machine's apt has no source of the suite, or it cannot be reached.
        ToolMissing: there is no apt.
    """
    require(["apt-get"])
    with tempfile.TemporaryDirectory(prefix="goldfleet-apt-") as name:
        archive = Archive(suite, _private_state(Path(name), suite))
        archive._apt("apt-get", "-o", "APT::Update::Error-Mode=any", "update", timeout=UPDATE_TIMEOUT)
        yield archive


def suites(suite: str) -> tuple[str, ...]:
    """The parts of Debian that make up a suite, by codename: the suite, its updates, its security updates."""
    return suite, f"{suite}-updates", f"{suite}-security"


def preferences(suite: str) -> str:
    """apt's preferences by which only what Debian made for the suite can be chosen."""
    pins = [f"Package: *\nPin: release o=Debian,n={part}\nPin-Priority: 500\n" for part in suites(suite)]
    return "\n".join([*pins, "Package: *\nPin: release c=*\nPin-Priority: -1\n"])


def entry(text: str, index: int, *, deb822: bool) -> str:
    """One entry of a sources file as it stands there: stanza or line number `index`, from 1."""
    if not deb822:
        return text.splitlines()[index - 1] + "\n"
    stanzas = [part for part in re.split(r"\n\s*\n", text) if re.search(r"^[A-Za-z]", part, re.MULTILINE)]
    return stanzas[index - 1].strip("\n") + "\n"


def _private_state(folder: Path, suite: str) -> tuple[str, ...]:
    """Lays out apt's state, cache and configuration in a folder; returns the options that make apt use them."""
    for part in ("state/lists/partial", "cache/archives/partial", "sources"):
        (folder / part).mkdir(parents=True)
    (folder / "preferences").write_text(preferences(suite))
    for number, (source, deb822) in enumerate(_sources(suite)):
        (folder / "sources" / f"{number}.{'sources' if deb822 else 'list'}").write_text(source)
    settings = {
        "Dir::State": folder / "state",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": folder / "sources",
        "Dir::Etc::preferences": folder / "preferences",
        "Dir::Etc::preferencesparts": "/dev/null",
        "APT::Architecture": ARCHITECTURE,
        "APT::Architectures": ARCHITECTURE,
        "pkgCacheGen::ForceEssential": ",",  # else apt counts itself in
        "APT::Sandbox::User": "root",  # the user that apt would change to may not enter this folder
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    return tuple(part for key, value in settings.items() for part in ("-o", f"{key}={value}"))


def _sources(suite: str) -> list[tuple[str, bool]]:
    """The entries of the machine's sources that name the suite: text, and whether it is a deb822 stanza."""
    targets = ["indextargets", "--no-release-info", "--format", "$(RELEASE) $(SOURCESENTRY)", "Created-By: Packages"]
    lines = [line.split(" ", 1) for line in run(["apt-get", *targets], WHERE, RESOLVE_TIMEOUT).splitlines()]
    places = sorted({place for release, place in lines if release.split("/")[0] in suites(suite)})
    if not places:
        raise ReleaseError(
            CONFIGURATION,
            f"this machine's apt has no source of Debian {suite}",
            f"run it on Debian {suite}, a container will do; there, apt needs {', '.join(suites(suite))}",
        )
    found = []
    for file, _, index in (place.rpartition(":") for place in places):
        deb822 = file.endswith(".sources")
        found.append((entry(Path(file).read_text(encoding="utf-8"), int(index), deb822=deb822), deb822))
    return found


def _package(stanza: str) -> Package:
    fields = dict(re.findall(r"^(Package|Version|Architecture|SHA256|Size): (\S+)$", stanza, re.MULTILINE))
    name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
    return Package(name, version, architecture, fields["SHA256"], int(fields["Size"]))
