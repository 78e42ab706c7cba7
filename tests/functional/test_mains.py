"""Rules for the source of every function, and the start of each."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

ROOT = Path(__file__).parents[2]
MAINS = sorted(ROOT.glob("functions/*/main.py"))
FUNCTIONS = [main.parent.name for main in MAINS]
MODULES = sorted(ROOT.glob("functions/**/*.py"))

ENVIRONMENT = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "DATABASE_URL": "postgresql://user:secret@127.0.0.1:1/goalstream",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
NEEDED = [
    ("ingest_event", "KAFKA_BOOTSTRAP_SERVERS"),
    ("consume_goal", "KAFKA_BOOTSTRAP_SERVERS"),
    ("consume_goal", "DATABASE_URL"),
    ("enrich_batch", "DATABASE_URL"),
    ("list_highlights", "DATABASE_URL"),
    ("get_highlight", "DATABASE_URL"),
    ("stream_highlights", "DATABASE_URL"),
]

# Loads a function as functions-framework does, and requests a path, or its health.
ASK = """
import asyncio, sys, threading
import httpx
from functions_framework.aio import create_asgi_app

async def ask(app):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(*sys.argv[1:] or ["/health"])

app = create_asgi_app()
if threading.active_count() > 1:
    sys.exit(f"threads that a fork would kill: {threading.enumerate()}")
answer = asyncio.run(ask(app))
sys.stdout.write(f"{answer.status_code} {answer.text}")
"""


def identity(path: Path) -> str:
    """Return a file's path in the repository."""
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Return the modules that a file imports, wherever in it."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import is written out"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def names(path: Path) -> set[str]:
    """Return every name and attribute that a file uses."""
    nodes = list(ast.walk(parsed(path)))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in nodes if isinstance(node, ast.Name)}


def environment(function: str, **variables: str) -> dict[str, str]:
    """Return the environment variables with which a function starts."""
    return {
        **{name: value for name, value in os.environ.items() if name not in ENVIRONMENT},
        **ENVIRONMENT,
        "PYTHONPATH": str(ROOT),
        "FUNCTION_SOURCE": f"functions/{function}/main.py",
        "FUNCTION_TARGET": function,
        "FUNCTION_USE_ASGI": "true",
        "HOST": "127.0.0.1",
        "PORT": "0",
        **variables,
    }


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_there_are_six_functions() -> None:
    """Each in a folder of its own."""
    assert set(FUNCTIONS) >= {
        "ingest_event", "consume_goal", "enrich_batch",
        "list_highlights", "get_highlight", "stream_highlights",
    }  # fmt: skip


@pytest.mark.parametrize("main", MAINS, ids=identity)
def test_a_main_is_under_sixty_lines(main: Path) -> None:
    """It only connects the parts."""
    assert len(main.read_text(encoding="utf-8").splitlines()) < 60


@pytest.mark.parametrize("main", MAINS, ids=identity)
def test_a_main_has_neither_sql_nor_environment_variables(main: Path) -> None:
    """SQL and environment variables each have one module of their own."""
    texts = [
        node.value.upper()
        for node in ast.walk(parsed(main))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for verb in ("SELECT ", "INSERT ", "UPDATE ", "DELETE FROM"):
        assert not [text for text in texts if verb in text]
    assert not {"environ", "getenv", "os"} & names(main)


@pytest.mark.parametrize("module", MODULES, ids=identity)
def test_one_place_reads_the_environment(module: Path) -> None:
    """It is functions/shared/settings/load.py."""
    reads = {"environ", "getenv"} & names(module)
    assert bool(reads) == (identity(module) == "functions/shared/settings/load.py")


@pytest.mark.parametrize("module", MODULES, ids=identity)
def test_a_function_imports_no_other_function(module: Path) -> None:
    """Nor does shared code import one, nor any of them what replaces a cloud."""
    own = module.relative_to(ROOT / "functions").parts[0]
    for imported in imports(module):
        top, _, rest = imported.partition(".")
        assert top not in ("local", "infra", "tests"), imported
        if top == "functions":
            assert rest.partition(".")[0] in (own, "shared"), imported


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_and_is_healthy(function: str) -> None:
    """Under functions-framework, without its services, and without threads before the fork."""
    done = run("-c", ASK, **environment(function))
    assert (done.stdout, done.returncode) == ('200 {"status":"ok"}\n', 0), done.stderr


@pytest.mark.parametrize(
    ("function", "path"),
    [
        ("list_highlights", "/highlights"),
        ("get_highlight", f"/highlights/{UUID(int=1)}"),
        ("stream_highlights", "/highlights/stream"),
    ],
)
def test_a_reader_has_the_languages_of_its_variable(function: str, path: str) -> None:
    """It does not start with what is no language."""
    done = run("-c", ASK, f"{path}?lang=en", **environment(function, LANGUAGES="de,PT-br"))
    assert done.stdout.startswith("400 "), done.stderr
    assert '{"lang":["must be one of de, pt-BR"]}' in done.stdout
    refused = run("-c", ASK, **environment(function, LANGUAGES="german"))
    assert refused.returncode != 0
    assert "cannot start: LANGUAGES is wrong: 'german' is no language tag" in refused.stderr


def test_a_language_that_nobody_can_write_stops_the_start_of_enrich_batch_alone() -> None:
    """It names those that there are; readers need no phrases, so their language may be any."""
    languages = {"LANGUAGES": "en nl"}
    refused = run(
        "-c", "import functions.enrich_batch.main", **environment("enrich_batch", **languages)
    )
    assert refused.returncode != 0
    reason = "LANGUAGES is wrong: there are no phrases in nl, but in ar de en es fr ja pt-BR"
    assert f"cannot start: {reason}" in refused.stderr
    asked = run("-c", ASK, "/highlights?lang=de", **environment("list_highlights", **languages))
    assert '{"lang":["must be one of en, nl"]}' in asked.stdout


@pytest.mark.parametrize(("function", "name"), NEEDED)
def test_a_missing_variable_stops_the_start(function: str, name: str) -> None:
    """With a line that names it, and without a traceback."""
    done = run("-m", "functions_framework", **environment(function, **{name: ""}))
    assert done.returncode != 0
    assert f"cannot start: {name} is missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_the_cache_is_optional() -> None:
    """Without its URL the functions start."""
    done = run("-c", ASK, **environment("list_highlights", REDIS_URL=""))
    assert done.returncode == 0, done.stderr
