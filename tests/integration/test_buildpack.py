"""Each function started as Google's buildpack for Python does it.

https://github.com/GoogleCloudPlatform/buildpacks: the files that .gcloudignore leaves, the packages
of requirements.txt alone, then the command `functions-framework` in the root of the source. The
values of GOOGLE_FUNCTION_SOURCE, _TARGET and _SIGNATURE_TYPE at the build are in the environment
without `GOOGLE_`; the deployer sets the rest.
"""

import os
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from local.stack import ROOT
from local.stack.ports import HOST, free_port
from local.stack.services import functions
from tests.support.waiting import eventually

DEPLOYED = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "DATABASE_URL": "postgresql://user:secret@127.0.0.1:1/goalstream",
}


def listed(*arguments: str) -> set[str]:
    """Return the files that git tracks."""
    command = ["git", "ls-files", "-z", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(filter(None, done.stdout.split("\0")))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The uploaded source: the committed files without those in .gcloudignore."""
    folder = tmp_path_factory.mktemp("workspace")
    for name in listed() - listed("--cached", "--ignored", "--exclude-from=.gcloudignore"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return folder


@pytest.fixture(scope="module")
def environment(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with only the packages of requirements.txt."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    # As the buildpack does: all at once, then whether what was installed goes together.
    install = ["install", "--quiet", "--requirement", "requirements.txt", "--no-compile"]
    for command in (install, ["check"]):
        subprocess.run([*pip, *command], cwd=workspace, check=True, timeout=240)
    return folder


@contextmanager
def started(
    function: str, workspace: Path, environment: Path, port: int
) -> Iterator[subprocess.Popen[str]]:
    """A function's process, by environment variables alone."""
    variables = {
        **DEPLOYED,
        "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
        "PYTHONPATH": str(workspace),
        "FUNCTION_SOURCE": f"functions/{function}/main.py",
        "FUNCTION_TARGET": function,
        "FUNCTION_SIGNATURE_TYPE": "http",
        "HOST": HOST,
        "PORT": str(port),
    }
    command = [environment / "bin" / "functions-framework"]
    with subprocess.Popen(
        command,
        cwd=workspace,
        env=variables,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its workers would outlive it


def test_the_uploaded_source_is_what_the_buildpack_needs(workspace: Path) -> None:
    """It has the functions and one list of packages; a pyproject.toml could be a second one."""
    there = {path.name for path in workspace.iterdir()}
    assert there == {"functions", "infra", "requirements.txt"}
    assert {path.name for path in (workspace / "functions").iterdir()} >= set(functions.NAMES)


def test_every_file_of_it_compiles(workspace: Path, environment: Path) -> None:
    """The buildpack fails a build in which a file does not compile."""
    command = [str(environment / "bin" / "python"), "-m", "compileall", "-f", "-q", "."]
    subprocess.run(command, cwd=workspace, check=True, timeout=60)


@pytest.mark.parametrize("function", functions.NAMES)
def test_a_function_is_alive(function: str, workspace: Path, environment: Path) -> None:
    """It is served by the asynchronous server that functions-framework chooses."""
    port = free_port()
    with started(function, workspace, environment, port) as process:

        def answer() -> httpx.Response | None:
            assert process.poll() is None, process.communicate()[1]
            try:
                return httpx.get(f"http://{HOST}:{port}/health", trust_env=False)
            except httpx.TransportError:
                return None

        eventually(lambda: answer() is not None)
        response = answer()
        assert response is not None
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
        assert response.headers["x-correlation-id"]


def test_without_the_source_on_the_path_it_says_so(workspace: Path, environment: Path) -> None:
    """The deployer must set PYTHONPATH: functions-framework adds only the function's folder."""
    done = subprocess.run(
        [environment / "bin" / "functions-framework"],
        cwd=workspace,
        env={
            "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
            "FUNCTION_SOURCE": "functions/get_highlight/main.py",
            "FUNCTION_TARGET": "get_highlight",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "No module named 'functions" in done.stderr
