"""The commands of the AWS page, run with stand-ins for the programs that they call."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.cloudformation import read
from tests.support.pages import PAGES, blocks

AWS = PAGES["docs/aws.md"]
# Records its arguments, and prints the output of a stack that they name.
STAND_IN = """#!/usr/bin/env bash
echo "${0##*/} $*" >> "$CALLS"
[[ $* =~ OutputKey==\\'([A-Za-z]+)\\' ]] || exit 0
case ${BASH_REMATCH[1]} in
  ImageRepository) echo registry.example/goalstream ;;
  BootstrapServersCommand) echo echo b-1:9098,b-2:9098 ;;
  *) echo "the-${BASH_REMATCH[1]}" ;;
esac
"""


@pytest.fixture(name="calls")
def _calls(tmp_path: Path) -> list[str]:
    """The calls of the AWS commands to stand-ins, from an empty account to a second version."""
    for name in ("aws", "sam", "docker", "curl"):
        (tmp_path / name).write_text(STAND_IN)
        (tmp_path / name).chmod(0o755)
    subprocess.run(
        ["/bin/bash", "-eu"],
        input="\n".join(blocks(AWS)),
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "TMPDIR": str(tmp_path),
            "CALLS": str(tmp_path / "calls"),
        },
        text=True,
        check=True,
        timeout=60,
    )
    return (tmp_path / "calls").read_text().splitlines()


def test_a_deployment_has_every_required_option_and_parameter(
    calls: list[str],
) -> None:
    """SAM requires an image repository whatever ImageUri is, and a bucket for a long template."""
    deployments = [each for each in calls if each.startswith("sam deploy")]
    parameters = read("template.yaml")["Parameters"]
    for each, version in zip(deployments, (1, 1, 2), strict=True):
        assert "--image-repository registry.example/goalstream --" in each
        assert "--resolve-s3" in each
        assert "--tags application=goalstream environment=production --" in each
        passed = dict(re.findall(r" ([A-Z]\w+)=(\S+)", each))
        assert {name for name in parameters if "Default" not in parameters[name]} <= passed.keys()
        others = {"ImageRepository", "BootstrapServersCommand"}
        assert (
            read("services.yaml")["Outputs"].keys() - others <= passed.keys() <= parameters.keys()
        )
        assert passed["ImageUri"] == f"registry.example/goalstream:{version}"
        assert passed["KafkaBootstrapServers"] == "b-1:9098,b-2:9098"


def test_an_image_is_one_that_lambda_takes(calls: list[str]) -> None:
    """For the default architecture, without an attestation, after the login to the registry."""
    assert read("template.yaml")["Parameters"]["Architecture"]["Default"] == "x86_64"
    docker = [each for each in calls if each.startswith("docker")]
    assert docker[0].startswith("docker login")
    assert docker[0].endswith(" registry.example")
    assert docker[-1] == "docker push registry.example/goalstream:1"
    for each in docker[1:-1]:
        assert each.startswith("docker build --platform linux/amd64 --provenance=false ")


def test_a_new_version_has_its_table_before_it_runs(calls: list[str]) -> None:
    """The first deployment leaves the triggers off until then."""
    steps = r"aws lambda (?:update\S+|wait|invoke)|sam deploy|goalstream-prepare|Enabled=\w+"
    done = [" ".join(re.findall(steps, each)) for each in calls]
    first, second = "sam deploy Enabled=false", "sam deploy Enabled=true"
    prepared = "aws lambda invoke goalstream-prepare"
    assert [each for each in done if each] == [
        first, prepared, second, "aws lambda invoke",
        "aws lambda update-function-code goalstream-prepare", "aws lambda wait goalstream-prepare",
        prepared, second,
    ]  # fmt: skip
    for each in calls:
        if "lambda invoke" in each:
            assert each.endswith("/dev/stdout")
            assert "--payload" not in each or "--cli-binary-format raw-in-base64-out" in each
            assert "prepare" not in each or "--cli-read-timeout 0" in each
