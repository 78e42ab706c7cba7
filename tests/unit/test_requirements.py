"""Each requirements.txt matches its requirements.in; the check needs no network."""

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
SOURCES = sorted(
    [*ROOT.glob("requirements*.in")]
    + [path for folder in FOLDERS for path in (ROOT / folder).rglob("requirements.in")]
)
DEVELOPMENT = ROOT / "requirements-dev.in"
# Their packages come without what these need: only files of some, and another version of the other.
SEPARATE = {
    ROOT / "local/gateway/requirements.in",
    ROOT / "local/demo_ai/requirements.in",
    ROOT / "tests/cloudevents_sdk/requirements.in",
}
PIN = re.compile(
    r"^([\w.-]+)==([\w.+]+)( ; [^\\]+)? \\\n((?:    --hash=.*\n)+)((?:    #.*\n)+)", re.MULTILINE
)


@dataclass(frozen=True)
class Pin:
    """A package as a requirements.txt has it; `wanted_by` are packages and files."""

    version: str
    hashes: frozenset[str]
    wanted_by: frozenset[str]


def pins(source: Path) -> dict[str, Pin]:
    """The packages of the .txt beside a .in; nothing else may be in it."""
    text = source.with_suffix(".txt").read_text()
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


def requests(source: Path) -> Iterator[tuple[str, Requirement]]:
    """The requirements of a .in and of the files that it includes, each with its file."""
    for line in source.read_text().splitlines():
        if line.startswith("-r "):
            yield from requests(source.parent / line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            yield str(source.relative_to(ROOT)), Requirement(line)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_exactly_the_requirements_are_pinned(source: Path) -> None:
    """A change of a requirements.in without `make requirements` shows here."""
    wanted = {
        (canonicalize_name(each.name), f"-r {file}", str(each.specifier).removeprefix("=="))
        for file, each in requests(source)
    }
    pinned = {
        (name, by, pin.version)
        for name, pin in pins(source).items()
        for by in pin.wanted_by
        if by.startswith("-r ")
    }
    assert pinned == wanted


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_package_has_hashes_and_is_required(source: Path) -> None:
    """SHA-256 hashes; each package is required by another package of the file or by a .in."""
    found = pins(source)
    for pin in found.values():
        assert pin.hashes
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in pin.hashes)
        assert any(by in found or by.startswith("-r ") for by in pin.wanted_by)
        assert all(by in found or by.startswith("-") for by in pin.wanted_by)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_dependencies_of_a_package_are_in_the_same_file(source: Path) -> None:
    """By the metadata of the installed packages; pip refuses packages without a hash."""
    found = {} if source in SEPARATE else pins(source)
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


@pytest.mark.parametrize("source", sorted({*SOURCES} - SEPARATE))
def test_all_files_agree(source: Path) -> None:
    """One environment can hold them all."""
    every = pins(DEVELOPMENT)
    for name, pin in pins(source).items():
        assert (pin.version, pin.hashes) == (
            every.get(name, pin).version,
            every.get(name, pin).hashes,
        )


def test_dependabot_can_update_the_files() -> None:
    """By the command in their heads; Dependabot does not support `--no-deps`."""
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    (folders,) = (each["directories"] for each in updates if each["package-ecosystem"] == "uv")
    renewed = {ROOT / folder.strip("/") for folder in folders}
    assert renewed == {path.parent for path in {*SOURCES} - SEPARATE}
    for path in {*SOURCES} - SEPARATE:
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
