"""The mark of the tests that take long."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.stack import ROOT

CONFTEST = """
from tests.support.length import (
    pytest_collection_modifyitems, pytest_terminal_summary, pytest_testnodedown
)
"""
TESTS = """
import pytest

@pytest.mark.long
def test_long():
    pass

@pytest.mark.parametrize("which", ["short", pytest.param("long", marks=pytest.mark.long)])
def test_it(which):
    pass
"""


@pytest.mark.parametrize("options", [(), ("--numprocesses=2",)], ids=["alone", "xdist"])
@pytest.mark.parametrize(
    ("length", "passed", "expected"),
    [("short", 1, "2 long tests left out: GOALSTREAM_TEST_LENGTH=long runs them"), ("long", 3, "")],
)
def test_a_short_run_leaves_out_long_tests_and_reports_them(
    tmp_path: Path, options: tuple[str, ...], length: str, passed: int, expected: str
) -> None:
    """One line has their number and the option that runs them."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "--rootdir", ".",
         "-o", f"pythonpath={ROOT}", "-p", "no:cacheprovider", *options, "test_it.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"GOALSTREAM_TEST_LENGTH": length, "PATH": ""},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{passed} passed" in ended.stdout
    assert [line for line in ended.stdout.splitlines() if "left out" in line] == [expected] * bool(
        expected
    )
