"""Files, parameters and variables that the deployment pages name exist."""

import re
import shutil
from pathlib import Path

import pytest

from local.stack import ROOT
from tests.support.cloudformation import read
from tests.support.drivers.shells import in_each_shell, pasted
from tests.support.pages import CLOUDS, PAGES, blocks
from tests.unit.test_documentation import SETTINGS

INFRA = ROOT / "infra"
COSTS = PAGES["docs/growth-and-cost.md"]
PAGE = "\n".join([PAGES["infra/README.md"], *map(PAGES.__getitem__, CLOUDS), COSTS])
NAMES = [
    read(file)[part]
    for file in ("template.yaml", "services.yaml")
    for part in ("Parameters", "Outputs")
]
VARIABLES = {str(field.alias) for model in SETTINGS for field in model.model_fields.values()}
CONSUMERS = ("List", "Get", "Consume", "Enrich")  # of connections to the database
COMMANDS = blocks(PAGE)
GOALS = (43_800, 4_380_000, 438_000_000)  # a month
GB_SECOND = {"x86_64": "0.0000166667"}


def test_every_file_that_the_pages_name_exists() -> None:
    """From the repository's root, as its commands are typed."""
    named = set(re.findall(r"\binfra/[\w./-]+\w", PAGE))
    assert named
    assert not [file for file in named if not (ROOT / file).exists()]


def test_images_are_built_on_the_pinned_base() -> None:
    """The shell loads its digest first; the one image that is built on ours has it already."""
    builds = 0
    for commands in COMMANDS:
        joined = commands.replace("\\\n", " ")
        for build in re.finditer(r"docker build [^\n]* \.$", joined, re.MULTILINE):
            builds += 1
            assert "--build-arg PYTHON_IMAGE " in build[0]
            assert ". infra/images.env" in joined[: build.start()]
    assert builds == 3


def test_every_parameter_and_output_of_a_template_is_one() -> None:
    """Whether it is in a sentence or in a command."""
    known = {name for part in NAMES for name in part}
    mentioned = set(re.findall(r"`([A-Z][a-z]\w*[A-Z]\w*)`", PAGE)) | set(
        re.findall(r"\b([A-Z]\w+)=[\"tf$]", PAGE)
    )
    mentioned = {name for name in mentioned if not name.isupper()} - {"Scheduled", "FunctionError"}
    assert {"ApiUrl", "ImageUri", "TriggersEnabled"} <= mentioned <= known


@pytest.mark.parametrize("prefix", ["DATABASE_", "KAFKA_", "REDIS_", "RATE_", "CACHE_"])
def test_every_variable_of_the_functions_is_one(prefix: str) -> None:
    """By the name that the functions read."""
    mentioned = set(re.findall(rf"\b({prefix}[A-Z_]+)\b", PAGE))
    assert mentioned
    assert {name.removesuffix("_FILE") for name in mentioned} <= VARIABLES


def test_the_connections_that_it_counts_are_the_template_s() -> None:
    """One for each instance, and one for what prepares the table."""
    parameters = read("template.yaml")["Parameters"]
    most = sum(parameters[f"{name}Concurrency"]["Default"] for name in CONSUMERS) + 1
    assert f"limits come to {most}," in " ".join(COSTS.split())


RECORDER = """#!/bin/sh
call=$(printf '%s|' "${0##*/}" "$@")
echo "$call" >>"$CALLS"
echo true
"""
RECORDED = ("aws", "curl", "docker", "gcloud", "kind", "kubectl", "rm", "sam")
SCRIPTS = ("infra/gcp/setup.sh", "infra/gcp/deploy.sh")


def calls(shell: str, folder: Path) -> list[str]:
    """The commands that a shell runs when a page is pasted, with stand-ins for the programs."""
    (folder / "bin").mkdir(parents=True)
    (folder / "infra" / "gcp").mkdir(parents=True)
    for name in (*(f"bin/{program}" for program in RECORDED), *SCRIPTS):
        (folder / name).write_text(RECORDER)
        (folder / name).chmod(0o755)
    shutil.copy(INFRA / "images.env", folder / "infra")
    environ = {
        "CALLS": str(folder / "calls"),
        "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
        "TMPDIR": str(folder),
        "KEY": "a key",
    }
    done = pasted(shell, f"{''.join(COMMANDS)}wait", environ, folder)
    assert "not found" not in done.stderr, done.stderr
    made = (folder / "calls").read_text().replace(str(folder), "FOLDER")
    # Programs of one pipe write in any order, and mktemp makes a name of its own.
    return sorted(re.sub(r"FOLDER/tmp[.\w]+", "FOLDER/tmp", made).splitlines())


@in_each_shell
def test_every_command_can_be_pasted(shell: str, tmp_path: Path) -> None:
    """Each shell runs the same programs with the same arguments."""
    made = calls(shell, tmp_path / shell)
    assert made == calls("bash", tmp_path / "again")
    assert {line.split("|")[0] for line in made} >= {*RECORDED, "setup.sh", "deploy.sh"}
    assert any("|-t|dev.local/goalstream-functions:local|" in line for line in made)


def test_the_costs_are_those_of_the_template_s_memory_and_processor() -> None:
    """A call with one event takes 10 ms, one with a batch 50."""
    parameters = {
        name: each.get("Default") for name, each in read("template.yaml")["Parameters"].items()
    }
    stated = GB_SECOND[parameters["Architecture"]]
    assert f"costs ${stated} ({parameters['Architecture']};" in COSTS
    price = float(stated)
    http, worker = (parameters[f"{name}MemoryMb"] / 1024 for name in ("Http", "Worker"))
    rows = {
        line.split("|")[1].strip(): [_amounts(cell) for cell in line.split("|")[2:-1]]
        for line in COSTS.splitlines()
        if line.startswith(("| `ingest-event`: calls", "| `consume-goal`, `enrich"))
    }
    [ingest, workers] = rows.values()
    for column, goals in enumerate(GOALS):
        calls, seconds = 2 * goals + GOALS[0], 0.01
        if goals == GOALS[-1]:
            calls, seconds = 63_000_000, 0.05
        assert ingest[column] == pytest.approx(
            [goals * 0.2e-6, goals * 0.01 * http * price], abs=0.005
        )
        assert workers[column] == pytest.approx(
            [calls * 0.2e-6, calls * seconds * worker * price], abs=0.005
        )


def test_the_costs_of_the_api_and_of_its_limits_are_those_of_their_requests() -> None:
    """A goal is a request; the first 333 million cost more, the limits something by themselves."""
    rows = {
        line.split("|")[1].strip(): [_amounts(cell)[-1] for cell in line.split("|")[2:-1]]
        for line in COSTS.splitlines()
        if line.startswith(("| REST API |", "| WAF |"))
    }
    millions = [goals / 1e6 for goals in GOALS]
    api = [3.5 * min(each, 333) + 2.8 * max(each - 333, 0) for each in millions]
    assert rows["REST API"] == pytest.approx(api, rel=0.002, abs=0.005)
    limits = [6 + 0.6 * each for each in millions]
    assert rows["WAF"] == pytest.approx(limits, rel=0.002, abs=0.005)


def test_the_secrets_that_cost_are_those_of_the_services() -> None:
    """Those that the template for trying makes, and the one that RDS keeps."""
    resources = read("services.yaml")["Resources"].values()
    made = [each for each in resources if each["Type"] == "AWS::SecretsManager::Secret"]
    assert f"| secrets, at $0.40 each | {len(made) + 1}: ${0.4 * (len(made) + 1):.2f} |" in COSTS


def test_the_sums_of_the_costs_are_right() -> None:
    """To ten dollars in the hundreds, from the amounts above them."""
    rows = COSTS.partition("| a month, at |")[2].partition("| together |")
    lines = [line.split("|")[2:-1] for line in rows[0].splitlines()[3:] if line.startswith("|")]
    sums = [float(sum_.replace(",", "")) for sum_ in re.findall(r"about \$([\d,]+)", rows[2][:200])]
    assert len(sums) == 3
    for column, stated in enumerate(sums):
        amounts = [amount for line in lines for amount in _amounts(line[column])]
        assert sum(amounts) == pytest.approx(stated, rel=0.02)


def _amounts(cell: str) -> list[float]:
    """The dollars of a cell that are no price of a unit: what stands at a part's end."""
    parts = re.split(r" \+ |, |; ", cell.partition("= ")[2] or cell)
    ends = [re.search(r"\$([\d.,]+)\s*$", part) for part in parts]
    return [
        float(end[1].replace(",", ""))
        for end in ends
        if end and " at $" not in end.string[max(end.start() - 5, 0) : end.end()]
    ]
