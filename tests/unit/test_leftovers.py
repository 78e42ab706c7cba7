"""The check at the end of a test run that no process of a test is left."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from local.stack import ROOT

CONFTEST = "from tests.support.leftovers import pytest_configure, pytest_sessionfinish\n"
# A shell that ends at once leaves its child to the process that adopts orphans; a session of its
# own keeps signals to the terminal's group from it.
STARTS = """
import subprocess

def test_it():
    subprocess.run(
        ["sh", "-c", "{program} >/dev/null 2>&1 & echo $! > pid"],
        check=True, start_new_session=True, env={environment},
    )
"""


def run(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A run of one test with the check, without our other fixtures."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(test)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", ".", "-o",
         f"pythonpath={ROOT}", "-p", "no:cacheprovider", "-p", "no:schemathesis", *options],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("options", [(), ("--numprocesses=1",)], ids=["alone", "xdist"])
@pytest.mark.parametrize("environment", ["None", '{"PATH": "/usr/bin:/bin"}'])
def test_a_process_that_a_test_leaves_fails_the_run(
    tmp_path: Path, options: tuple[str, ...], environment: str
) -> None:
    """Its name and, if known, its test are reported, and it is ended."""
    test = STARTS.format(program="sleep 86399", environment=environment)
    ended = run(tmp_path, test, *options)
    pid = int((tmp_path / "pid").read_text())
    assert (ended.returncode, "1 passed" in ended.stdout) == (1, True), ended.stdout + ended.stderr
    report = f"LEFT BEHIND by a test: {pid}: sleep 86399, started by"
    by = "test_it.py::test_it (call)" if environment == "None" else "a test that gave it another"
    assert f"{report} {by}" in ended.stdout
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_process_that_is_about_to_end_is_waited_for(tmp_path: Path) -> None:
    """A process that has ended is no failure."""
    ended = run(tmp_path, STARTS.format(program="sleep 0.3", environment="None"))
    assert (ended.returncode, "LEFT BEHIND" in ended.stdout) == (0, False), ended.stdout
