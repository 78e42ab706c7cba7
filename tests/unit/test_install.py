"""The output of `make setup`: its progress, and the reason of a failure."""

import re
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from local.install import main, reason

BROKEN = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'Connection refused': /idna/"
)
NONE_FOUND = [
    "ERROR: Could not find a version that satisfies the requirement idna==3.10",
    "ERROR: No matching distribution found for idna==3.10",
]

METADATA = {
    "METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "RECORD": "",
}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([BROKEN, *NONE_FOUND], "Connection refused"),
        (NONE_FOUND, "No matching distribution found for idna==3.10"),
        ([BROKEN, "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"], "THESE PACKAGES DO NOT MATCH"),
        (
            ["ERROR: Could not install: OSError: [Errno 28] No space left on device"],
            "No space left on device",
        ),
        (["OSError: [Errno 13] Permission denied: '/x/y'", ""], "Permission denied: '/x/y'"),
    ],
)
def test_the_reason_is_one_line(lines: list[str], expected: str) -> None:
    """Of pip's output, the part that a person can act on."""
    assert reason(lines).startswith(f"The packages could not be installed: {expected}")
    assert "\n" not in reason(lines)


def test_a_missing_package_is_reported_with_the_end_of_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """All output of pip is in the log, and its exit status is the command's."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n")
    log = tmp_path / "install.log"
    options = ["--no-index", "--find-links", str(tmp_path), "--target", str(tmp_path / "made")]
    assert main([*options, "-r", str(requirements)], log) != 0
    reason_line, heading, *tail = capfd.readouterr().err.splitlines()
    assert reason_line == (
        "The packages could not be installed: No matching distribution found for"
        " no-such-package==1.0"
    )
    assert heading == f"{log} ends with"
    assert [line.removeprefix("  ") for line in tail] == log.read_text().splitlines()[-8:]


def test_it_prints_its_steps_whatever_the_configuration_of_pip(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line each if it is no terminal; a configuration with PIP_USER does no harm."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr("tiny.py", "")
        for name, text in METADATA.items():
            files.writestr(f"tiny-1.0.dist-info/{name}", text)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"tiny==1.0 --hash=sha256:{sha256(wheel.read_bytes()).hexdigest()}\n")
    monkeypatch.setenv("PIP_USER", "1")
    options = ["--no-index", "--find-links", str(tmp_path), "--target", str(tmp_path / "made")]
    assert main([*options, "-r", str(requirements)], tmp_path / "install.log") == 0
    fetching, installing, done = capfd.readouterr().out.splitlines()
    assert (fetching, installing) == ("  fetching the packages", "  installing 1 package")
    assert re.fullmatch(r"Installed in \d+ s\.", done)
    assert (tmp_path / "made" / "tiny.py").exists()
