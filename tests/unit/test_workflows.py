"""GitHub's workflows, a commit's hooks and the devcontainer call make as people do."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import yaml
from packaging.specifiers import SpecifierSet

from local.stack import ROOT

WORKFLOWS = {path.stem: path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml")}
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
TARGETS = {
    name: set(prerequisites.split())
    for name, prerequisites in re.findall(
        r"^([a-z0-9-]+):([^#=\n]*)", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
}
DEVCONTAINER = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())


def jobs(workflow: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The jobs of a workflow, as often as their matrix says, each with its values of the matrix."""
    for job in yaml.safe_load(WORKFLOWS[workflow])["jobs"].values():
        matrix = job["strategy"]["matrix"]
        for values in matrix.get("include") or [{"target": each} for each in matrix["target"]]:
            yield job, values


def targets(workflow: str) -> set[str]:
    """The make targets that its jobs call."""
    found = set()
    for job, values in jobs(workflow):
        (step,) = (each for each in job["steps"] if "make" in each.get("run", "").split())
        assert (step["run"], step["env"]) == ('make "$TARGET"', {"TARGET": "${{ matrix.target }}"})
        found.add(values["target"])
    return found


def covered(target: str, called: set[str]) -> bool:
    """Whether a target is called, or all the targets that it consists of are."""
    parts = TARGETS[target] & TARGETS.keys()
    return target in called or (bool(parts) and all(covered(part, called) for part in parts))


def test_workflows_call_targets_of_the_makefile() -> None:
    """So that people can do what CI does."""
    assert all(targets(workflow) <= TARGETS.keys() for workflow in WORKFLOWS)


def test_every_change_is_checked_and_tested_by_all_tests() -> None:
    """At their full length each night, with the audit and the bills of materials."""
    tests = [name for name in TARGETS if name.startswith("test")]
    assert [name for name in ("check", *tests) if not covered(name, targets("ci"))] == []
    assert targets("nightly") >= {"test-long", "audit", "sbom"}


def test_the_pythons_are_those_that_the_project_allows() -> None:
    """The fast tests run on the oldest; so does the check, since types are those of the oldest."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    allowed = SpecifierSet(project["requires-python"])
    pythons = [(values["target"], values["python"]) for _, values in jobs("ci")]
    image = re.fullmatch(r".*/python:3-(3\.\d+)-\w+", DEVCONTAINER["image"])
    assert image
    assert all(allowed.contains(version) for version in [image[1], *(each for _, each in pythons)])
    (oldest,) = (each.version for each in allowed if each.operator == ">=")
    assert {("lint", oldest), ("test-fast", oldest)} <= {*pythons}


def test_actions_are_pinned_by_commit_with_the_version_beside_it() -> None:
    """A tag can be moved; Dependabot moves both."""
    used = [each for text in WORKFLOWS.values() for each in re.findall(r"uses: (.*)", text)]
    assert used
    assert [each for each in used if not PINNED.fullmatch(each)] == []


def test_hooks_and_the_devcontainer_call_targets_of_the_makefile() -> None:
    """A commit is checked by a part of `make check`."""
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = {hook["entry"].removeprefix("make ") for hook in repository["hooks"]}
    assert hooks <= TARGETS["lint"]
    assert DEVCONTAINER["postCreateCommand"].removeprefix("make ") in TARGETS
