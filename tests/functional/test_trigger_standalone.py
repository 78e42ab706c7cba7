"""The trigger in a folder of its own, with the files and packages that its page lists."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pages import section

ROOT = Path(__file__).parents[2]
PACKAGE = Path("local/kafka_trigger")
SECTION = section(f"{PACKAGE}/README.md", "Using it elsewhere")
FILES = re.findall(r"^((?:local|functions)/\S+)$", SECTION, re.MULTILINE)
PACKAGES = set(re.findall(r"^\| `([\w-]+)` \|", SECTION, re.MULTILINE))
PARTS = {"pydantic-core", "botocore"}  # of pydantic and boto3
DISTRIBUTIONS = {"aws-msk-iam-sasl-signer": "aws-msk-iam-sasl-signer-python"}
TRIGGERS = """
kafka = { "bootstrap.servers" = "localhost:9092" }
[[trigger]]
name = "a"
topic = "t"
group = "g"
function = "http://f"
auto_offset_reset = "latest"
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with only the files and packages that the page lists."""
    shutil.copytree(ROOT / PACKAGE, tmp_path / PACKAGE)
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def imported(folder: Path) -> Iterator[str]:
    """The modules that are imported anywhere in a folder."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
                yield from (f"{node.module}.{each.name}" for each in node.names)


def test_it_runs_with_the_listed_files(elsewhere: Path) -> None:
    """From its folder, without this repository."""
    (elsewhere / "triggers.toml").write_text(TRIGGERS)
    command = [sys.executable, "-m", "local.kafka_trigger", "check", "triggers.toml"]
    ended = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("a: t -> http://f")


def test_exactly_the_imported_files_and_packages_are_listed(elsewhere: Path) -> None:
    """The page lists exactly the files and packages that are imported."""
    modules = set(imported(elsewhere))
    ours = {module.replace(".", "/") for module in modules if module.startswith("local.")}
    ours |= {module.replace(".", "/") for module in modules if module.startswith("functions.")}
    needed = {f"{each}.py" for each in ours if (ROOT / f"{each}.py").exists()}
    packages = {f"{parent}/__init__.py" for each in needed for parent in Path(each).parents[:-1]}
    outside = {each for each in needed | packages if not Path(each).is_relative_to(PACKAGE)}
    assert sorted(outside) == FILES
    foreign = {module.partition(".")[0].replace("_", "-") for module in modules}
    foreign -= {name.replace("_", "-") for name in sys.stdlib_module_names}
    foreign -= {"local", "functions", *PARTS}
    assert {DISTRIBUTIONS.get(name, name) for name in foreign} == PACKAGES
