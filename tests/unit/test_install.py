"""What `make setup` says while it installs, and when it cannot."""

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
    ("lines", "why"),
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
def test_the_reason_is_told_in_a_line(lines: list[str], why: str) -> None:
    """Of all that pip says, what a person can put right."""
    assert reason(lines).startswith(f"The packages could not be installed: {why}")
    assert "\n" not in reason(lines)


def test_a_package_that_is_not_to_be_had_is_told_with_the_end_of_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """All that pip said is in the log, and its exit status is the command's."""
    wanted = tmp_path / "requirements.txt"
    wanted.write_text(f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n")
    log = tmp_path / "install.log"
    options = ["--no-index", "--find-links", str(tmp_path), "--target", str(tmp_path / "made")]
    assert main([*options, "-r", str(wanted)], log) != 0
    said, where, *tail = capfd.readouterr().err.splitlines()
    assert said == (
        "The packages could not be installed: No matching distribution found for"
        " no-such-package==1.0"
    )
    assert where == f"{log} ends with"
    assert [line.removeprefix("  ") for line in tail] == log.read_text().splitlines()[-8:]


def test_it_tells_its_steps_whatever_pip_is_told_to_do_elsewhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line each where nobody watches; a configuration for the user's own packages is no bar."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr("tiny.py", "")
        for name, text in METADATA.items():
            files.writestr(f"tiny-1.0.dist-info/{name}", text)
    wanted = tmp_path / "requirements.txt"
    wanted.write_text(f"tiny==1.0 --hash=sha256:{sha256(wheel.read_bytes()).hexdigest()}\n")
    monkeypatch.setenv("PIP_USER", "1")
    options = ["--no-index", "--find-links", str(tmp_path), "--target", str(tmp_path / "made")]
    assert main([*options, "-r", str(wanted)], tmp_path / "install.log") == 0
    fetching, installing, done = capfd.readouterr().out.splitlines()
    assert (fetching, installing) == ("  fetching the packages", "  installing 1 package")
    assert re.fullmatch(r"Installed in \d+ s\.", done)
    assert (tmp_path / "made" / "tiny.py").exists()
