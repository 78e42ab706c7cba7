"""Each requirements.txt holds what its requirements.in asks for; no network is needed to see it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local.stack import ROOT

FOLDERS = ("functions", "infra", "local", "tests")
ASKED = sorted(
    [*ROOT.glob("requirements*.in")]
    + [path for folder in FOLDERS for path in (ROOT / folder).rglob("requirements.in")]
)
DEVELOPMENT = ROOT / "requirements-dev.in"
# Their packages come without what these need: the files of one, and another version of the other.
ALONE = {ROOT / "local/gateway/requirements.in", ROOT / "tests/cloudevents_sdk/requirements.in"}
PIN = re.compile(
    r"^([\w.-]+)==([\w.+]+)( ; [^\\]+)? \\\n((?:    --hash=.*\n)+)((?:    #.*\n)+)", re.MULTILINE
)


@dataclass(frozen=True)
class Pin:
    """A package as a requirements.txt has it; `wanted_by` are packages and files."""

    version: str
    hashes: frozenset[str]
    wanted_by: frozenset[str]


def pins(asked: Path) -> dict[str, Pin]:
    """The packages of the .txt beside a .in; nothing else may be in it."""
    text = asked.with_suffix(".txt").read_text()
    found = {
        name: Pin(
            version,
            frozenset(re.findall(r"--hash=(\S+)", hashes)),
            frozenset(filter(None, map(_name, wanted_by.splitlines()))),
        )
        for name, version, _, hashes, wanted_by in PIN.findall(text)
    }
    assert not re.sub(r"^#.*\n", "", PIN.sub("", text), flags=re.MULTILINE), "what is no pin"
    return found


def _name(line: str) -> str:
    """The package or file in a line `# via NAME`, or `#   NAME` below a line that says `# via`."""
    return line.lstrip(" #").removeprefix("via").strip()


def requests(asked: Path) -> Iterator[tuple[str, Requirement]]:
    """What a .in asks for, and what those that it refers to do, each with its file."""
    for line in asked.read_text().splitlines():
        if line.startswith("-r "):
            yield from requests(asked.parent / line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            yield str(asked.relative_to(ROOT)), Requirement(line)


@pytest.mark.parametrize("asked", ASKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_asked_for_is_pinned_and_nothing_else(asked: Path) -> None:
    """A change of a requirements.in without `make requirements` shows here."""
    wanted = {
        (canonicalize_name(each.name), f"-r {file}", str(each.specifier).removeprefix("=="))
        for file, each in requests(asked)
    }
    pinned = {
        (name, by, pin.version)
        for name, pin in pins(asked).items()
        for by in pin.wanted_by
        if by.startswith("-r ")
    }
    assert pinned == wanted


@pytest.mark.parametrize("asked", ASKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_package_has_hashes_and_somebody_who_wants_it(asked: Path) -> None:
    """Of SHA-256; whoever wants it is in the file too, or is the file that asks for it."""
    found = pins(asked)
    for pin in found.values():
        assert pin.hashes
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in pin.hashes)
        assert any(by in found or by.startswith("-r ") for by in pin.wanted_by)
        assert all(by in found or by.startswith("-") for by in pin.wanted_by)


@pytest.mark.parametrize("asked", ASKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_package_needs_is_in_the_same_file(asked: Path) -> None:
    """As the packages that are installed say; pip would refuse to install what has no hash."""
    found = {} if asked in ALONE else pins(asked)
    needs = [
        Requirement(need)
        for name in found
        for need in _installed(name).requires or []
        if "extra ==" not in need
    ]
    for need in needs:
        if need.marker is None or need.marker.evaluate():
            assert need.specifier.contains(found[canonicalize_name(need.name)].version)


def _installed(name: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:  # of another platform, or only for the containers
        return metadata.PathDistribution(Path("/nowhere"))


@pytest.mark.parametrize("asked", sorted({*ASKED} - ALONE))
def test_all_files_agree(asked: Path) -> None:
    """One environment can hold them all."""
    every = pins(DEVELOPMENT)
    for name, pin in pins(asked).items():
        assert (pin.version, pin.hashes) == (
            every.get(name, pin).version,
            every.get(name, pin).hashes,
        )


def test_dependabot_renews_the_files() -> None:
    """Which it makes as their heads say; it takes no `--no-deps`."""
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    (folders,) = (each["directories"] for each in updates if each["package-ecosystem"] == "uv")
    renewed = {ROOT / folder.strip("/") for folder in folders}
    assert renewed == {path.parent for path in {*ASKED} - ALONE}
    for path in {*ASKED} - ALONE:
        command = path.with_suffix(".txt").read_text().splitlines()[1].removeprefix("#    ").split()
        assert command[:3] == ["uv", "pip", "compile"]
        assert {"--universal", "--python-version=3.11", "--generate-hashes"} <= {*command}


def test_nothing_is_installed_without_hashes() -> None:
    """In the images and by make."""
    for name in ("Dockerfile", "Makefile"):
        joined = (ROOT / name).read_text().replace("\\\n", " ")
        installs = re.findall(r"^.*(?:pip\b.* install\b|local\.install).*$", joined, re.MULTILINE)
        assert installs
        assert all("--require-hashes" in line for line in installs)
